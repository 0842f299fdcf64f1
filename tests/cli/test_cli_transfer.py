"""`config export` and `config import` as a user has them: exit codes, one document, and a kill in the middle."""

from __future__ import annotations

import json
import os
import signal
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli_harness import Wire, program, written_bytes

if TYPE_CHECKING:
    from conftest import Cli

KEY = "sk-canary-cli-import-0123456789"
TABLE = '[provider.{name}]\nbase_url = "{url}"\napi_key = "{key}"\ntimeout = "30s"\n'


@pytest.fixture
def in_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHROOM_SECURITY__BACKEND", "file")


@pytest.mark.usefixtures("in_files")
def test_there_and_back_by_the_command_line(cli: Cli, wire: Wire, home: Path, tmp_path: Path) -> None:
    wire.key = KEY
    file = tmp_path / "in.toml"
    file.write_text(TABLE.format(name="work", url=wire.url, key=KEY))
    dry = cli("config", "import", str(file), "--dry-run", "--json")
    assert dry.status == 0
    assert dry.json["dry_run"] is True
    assert dry.json["applied"] is False
    assert [(step["kind"], step["action"]) for step in dry.json["steps"]] == [
        ("provider", "add"),
        ("key", "add"),
    ]
    assert dry.json["steps"][0]["line"] == 1
    assert wire.paths == [], "a dry run contacts nobody"
    assert cli("providers", "list", "--json").json["providers"] == []
    done = cli("config", "import", str(file), "--json", "--reason", "moving house")
    assert (done.status, done.json["applied"], done.json["changes"], done.json["keys_to_set"]) == (
        0,
        True,
        2,
        [],
    )
    rows = cli("audit", "list", "--json").json["rows"]
    assert any(row["action"] == "config.import" and row["reason"] == "moving house" for row in rows)
    [provider] = cli("providers", "list", "--json").json["providers"]
    assert (provider["slug"], provider["state"], provider["key"]["last4"]) == ("work", "ok", "6789")
    assert "Nothing to change." in cli("config", "import", str(file)).out
    out = tmp_path / "out.toml"
    told = cli("config", "export", str(out))
    assert (told.status, told.out) == (0, f"Wrote 1 provider to {out}.\n")
    assert "Not written: the key of work." in told.err
    assert tomllib.loads(out.read_text())["provider"]["work"]["timeout"] == "30s"
    again = cli("config", "export", str(out))
    assert (again.status, "--force" in again.err) == (2, True)
    assert cli("config", "export", str(out), "--force").status == 0
    assert KEY not in told.out + told.err + done.out + done.err + dry.out + out.read_text()
    assert written_bytes(home).count(KEY.encode()) == 1, "in its credential file, and nowhere else"
    document = cli("config", "export", "-", "--format", "lace", "--json").json
    assert json.loads(document["document"])["instances"]["work"]["timeout"] == 30000
    assert cli("config", "export", "-").out == out.read_text()


@pytest.mark.usefixtures("in_files")
def test_a_refused_key_is_named_at_the_end(cli: Cli, wire: Wire, home: Path, tmp_path: Path) -> None:
    wire.key = "sk-another"
    (tmp_path / "in.toml").write_text(TABLE.format(name="work", url=wire.url, key=KEY))
    done = cli("config", "import", str(tmp_path / "in.toml"))
    assert done.status == 0
    assert "Still to set:" in done.out
    assert "switchroom keys set work --key-stdin" in done.out
    assert "--no-test" in done.out
    assert KEY.encode() not in written_bytes(home)
    kept = cli("config", "import", str(tmp_path / "in.toml"), "--no-test", "--json")
    assert kept.json["changes"] == 1
    assert KEY.encode() in written_bytes(home)


def test_exit_codes(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = cli("config", "import", str(tmp_path / "absent"), "--json")
    assert (absent.status, absent.json["error"]["code"]) == (6, "not_found")
    (tmp_path / "bad").write_text('{"instances": {')
    bad = cli("config", "import", str(tmp_path / "bad"), "--json")
    assert (bad.status, bad.json["error"]["code"]) == (2, "import")
    assert "line 1" in bad.json["error"]["message"]
    (tmp_path / "http").write_text('[provider.x]\nbase_url = "http://192.168.7.7/v1"\n')
    http = cli("config", "import", str(tmp_path / "http"), "--json")
    assert (http.status, http.json["error"]["code"]) == (2, "import")
    assert "--allow-http" in http.json["error"]["hint"]
    assert cli("config", "import", str(tmp_path / "http"), "--allow-http").status == 0
    (tmp_path / "ok").write_text(TABLE.format(name="a", url="http://127.0.0.1:9/v1", key=KEY))
    refused = cli("config", "import", str(tmp_path / "ok"), "--read-only", "--json")
    assert (refused.status, refused.json["error"]["code"]) == (3, "read_only")
    locked = cli("config", "import", str(tmp_path / "ok"), "--no-test", "--json")
    assert (locked.status, locked.json["error"]["code"]) == (7, "vault_locked"), (
        "no keyring, no passphrase at hand"
    )
    assert [p["slug"] for p in cli("providers", "list", "--json").json["providers"]] == ["x"]
    assert cli("config", "import").status == 2
    assert cli("config", "export", "-", "--format", "nonsense").status == 2


def test_escape_sequences_of_a_file_reach_no_terminal(cli: Cli, tmp_path: Path) -> None:
    instances = {
        "a\u001b]0;x\u0007": {
            "displayName": "\u001b[2J[red]b[/]\u202e",
            "catalogProviderId": "openai",
            "\u001b[31m": 1,
        }
    }
    (tmp_path / "x").write_text(json.dumps({"version": "1.0", "instances": instances}))
    for arguments in ((), ("--json",), ("--dry-run",)):
        done = cli("config", "import", str(tmp_path / "x"), *arguments)
        assert done.status == 0
        assert not {"\x1b", "\x07", "\u202e"} & set(done.out + done.err)


@pytest.mark.usefixtures("in_files")
@pytest.mark.parametrize("stored", [1, 20, 40])
def test_killed_in_the_middle_it_is_all_or_nothing(cli: Cli, home: Path, tmp_path: Path, stored: int) -> None:
    text = "".join(
        f'[provider.p{n}]\nbase_url = "http://127.0.0.1:9/v{n}"\napi_key = "{KEY}-{n}"\n' for n in range(40)
    )
    (tmp_path / "in.toml").write_text(text)
    cli("providers", "list")
    process = program(
        home, "config", "import", str(tmp_path / "in.toml"), "--no-test", environment=dict(os.environ)
    )
    keys = home / "config" / "credentials"
    while process.poll() is None and len(list(keys.glob("p*.json"))) < stored:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    found = cli("providers", "list", "--json").json["providers"]
    assert len(found) in (0, 40)
    assert cli("audit", "verify", "--json").json["intact"] is True
    done = cli("config", "import", str(tmp_path / "in.toml"), "--no-test", "--json")
    assert done.status == 0
    assert len(cli("providers", "list", "--json").json["providers"]) == 40
    files = [path for path in (home / "config" / "credentials").iterdir() if path.suffix == ".json"]
    assert len(files) == 40, "the same names again: nothing of the first try is left over"


@pytest.mark.parametrize("name", ["", "/", ".", "~nobody-of-that-name/x", "x" * 300, "a\x01b/c"])
def test_names_no_file_can_have_are_refused_in_a_sentence(cli: Cli, name: str) -> None:
    out, back = cli("config", "export", name, "--json"), cli("config", "import", name, "--json")
    for done in (out, back):
        assert done.status in (2, 6, 7)
        assert done.json["error"]["code"] in ("usage", "not_found", "store", "import")
        assert "inside Switchroom" not in done.err


def test_an_export_through_a_link_keeps_the_link(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "real.toml").write_text("old")
    (tmp_path / "link.toml").symlink_to(tmp_path / "there" / "real.toml")
    assert cli("config", "export", str(tmp_path / "link.toml"), "--force").status == 0
    assert (tmp_path / "link.toml").is_symlink()
    assert "switchroom = 1" in (tmp_path / "there" / "real.toml").read_text()
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["real.toml"]


@pytest.mark.usefixtures("in_files")
def test_the_plan_says_that_keys_are_not_tried(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(TABLE.format(name="a", url="https://llm.example/v1", key=KEY))
    assert "stored untested" in cli("config", "import", str(file), "--no-test", "--dry-run").out
    assert "tried, then stored" in cli("config", "import", str(file), "--dry-run").out
