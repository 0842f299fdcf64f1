"""`providers discover`: what it says, what `--apply` adds, and that no key is ever printed or copied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli_harness import KEY, Wire, program, written_bytes

if TYPE_CHECKING:
    from conftest import Cli

GROQ = "gsk_" + "c4naryC4nary" * 4


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def acme(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> None:
    monkeypatch.setenv("PROVIDER_ACME_URL", wire.url)
    monkeypatch.setenv("PROVIDER_ACME_KEY", KEY)


def test_nothing_found_says_so(cli: Cli) -> None:
    done = cli("providers", "discover")
    assert done.status == 0
    assert "Nothing was found" in done.out


def test_it_says_what_and_why_and_changes_nothing(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", GROQ)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-api03-" + "x" * 40)
    done = cli("providers", "discover")
    assert done.status == 0
    assert "groq: GROQ_API_KEY is set. → https://api.groq.com/openai/v1" in done.out
    assert "OPENAI_BASE_URL says http://127.0.0.1:1/v1, so it need not be a key of OpenAI" in done.out
    assert "switchroom providers add local-1 --url http://127.0.0.1:1/v1 --key-env OPENAI_API_KEY" in done.out
    assert "anthropic: ANTHROPIC_API_KEY is set. → https://api.anthropic.com/v1" in done.out
    for secret in (GROQ, KEY, "sk-ant-api03"):
        assert secret not in done.out + done.err
    assert cli("providers", "list", "--json").json == {"providers": []}
    assert cli("audit", "list", "--json").json["rows"] == []


def test_the_document(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", GROQ)
    document = cli("providers", "discover", "--json").json
    (one,) = document["findings"]
    assert document["added"] == []
    assert (one["state"], one["slug"], one["type"], one["key"], one["source"]) == (
        "adds", "groq", "groq", "env:GROQ_API_KEY", "environment",
    )  # fmt: skip
    assert one["commands"] == ["switchroom providers add groq --type groq --key-env GROQ_API_KEY"]


def test_apply_adds_by_reference_once_and_is_audited(
    cli: Cli, wire: Wire, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme(monkeypatch, wire)
    wire.key = KEY
    done = cli("providers", "discover", "--apply", "--reason", "new machine", "--json")
    assert (done.status, done.json["added"]) == (0, ["acme"])
    (one,) = cli("providers", "list", "--json").json["providers"]
    assert (one["slug"], one["name"], one["key"]["source"]) == ("acme", "acme (Migrated)", "env")
    (row,) = cli("audit", "list", "--action", "provider.add", "--json").json["rows"]
    assert "PROVIDER_ACME_KEY is set" in json.dumps(row["detail"])
    assert KEY.encode() not in written_bytes(home)
    assert cli("sync", "acme").status == 0
    again = cli("providers", "discover", "--apply")
    assert again.status == 0
    assert "Nothing new to add." in again.out
    assert cli("providers", "discover", "--json").json["findings"][0]["configured"] == "acme"


def test_a_dry_run_changes_nothing(cli: Cli, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    acme(monkeypatch, wire)
    done = cli("providers", "discover", "--apply", "--dry-run")
    assert "Would add acme. Nothing was changed." in done.out
    assert cli("providers", "list", "--json").json == {"providers": []}
    assert wire.paths == []


def test_read_only_shows_and_refuses_to_apply(cli: Cli, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    acme(monkeypatch, wire)
    cli("providers", "list")
    assert cli("providers", "discover", "--read-only").status == 0
    assert cli("providers", "discover", "--apply", "--read-only").status == 3


def test_apply_brings_back_what_was_removed(cli: Cli, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    acme(monkeypatch, wire)
    cli("providers", "discover", "--apply")
    cli("providers", "remove", "acme")
    assert "added once and taken away" in cli("providers", "discover").out
    assert cli("providers", "discover", "--apply", "--json").json["added"] == ["acme"]


def test_the_folders_file_is_added_only_when_it_is_named(
    cli: Cli, wire: Wire, home: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.key = KEY
    monkeypatch.setenv("SWITCHROOM_SECURITY__BACKEND", "file")
    file = elsewhere / ".env"
    file.write_text(f"PROVIDER_ACME_URL={wire.url}\nPROVIDER_ACME_KEY={KEY}\n")
    assert cli("providers", "discover", "--apply", "--json").json["added"] == []
    text = cli("providers", "discover").out
    assert f"PROVIDER_ACME_KEY is in {file}" in text
    assert f"switchroom providers discover --apply --env-file {file}" in text
    assert KEY.encode() not in written_bytes(home)
    assert cli("providers", "discover", "--apply", "--env-file", str(file), "--json").json["added"] == [
        "acme"
    ]
    (one,) = cli("providers", "list", "--json").json["providers"]
    assert (one["state"], one["key"]["source"]) == ("ok", "file")


def test_a_file_that_cannot_be_read_is_named(cli: Cli, elsewhere: Path) -> None:
    (elsewhere / ".env").write_bytes(b"A=\xff\n")
    assert f"{elsewhere / '.env'} is not UTF-8 text" in cli("providers", "discover").out


def test_the_real_program(home: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: Path) -> None:
    process = program(home, "providers", "discover", "--json", environment={"GROQ_API_KEY": GROQ})
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, b"")
    assert json.loads(out)["findings"][0]["slug"] == "groq"
    assert GROQ.encode() not in out
