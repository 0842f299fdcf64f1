"""Command lines around models and discovery that went wrong once: unknown names, one bad key among good ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli_harness import KEY, Wire, written_bytes

if TYPE_CHECKING:
    from conftest import Cli

OTHER = "sk-other-0123456789abcdef"


@pytest.fixture
def env_file(tmp_path: Path, wire: Wire) -> Path:
    """Three keys: the server takes the first and the last."""
    wire.key = KEY
    lines = [f"PROVIDER_A{n}_URL={wire.url}\nPROVIDER_A{n}_KEY={key}\n" for n, key in enumerate((KEY, OTHER))]
    file = tmp_path / "project.env"
    file.write_text("".join(lines))
    return file


def slugs(cli: Cli) -> list[str]:
    return [one["slug"] for one in cli("providers", "list", "--json").json["providers"]]


@pytest.mark.parametrize("model", ["ecko", "a\x1b[31mb", "y" * 5000, "../../etc/passwd"])
def test_a_word_about_a_model_nobody_knows_is_refused(cli: Cli, wire: Wire, model: str) -> None:
    assert cli("providers", "add", "p", "--url", wire.url).status == 0
    assert cli("sync", "p").status == 0
    before = cli("models", "list", "--json").json
    done = cli("models", "say", f"p/{model}", "tools=yes", "--json")
    assert (done.status, done.json["error"]["code"]) == (6, "not_found")
    assert "\x1b" not in done.err + done.out
    assert cli("models", "list", "--json").json == before
    if model == "ecko":
        assert "p/echo" in done.json["error"]["hint"]


def test_one_refused_key_of_a_file_keeps_no_other_out(
    cli: Cli, env_file: Path, home: Path, vault_key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("vault", "init").status == 0
    monkeypatch.setenv("GROQ_API_KEY", "gsk_" + "c4naryC4nary" * 4)
    done = cli("providers", "discover", "--apply", "--env-file", str(env_file), "--json")
    assert done.status == 4, done.err
    assert sorted(done.json["added"]) == ["a0", "groq"]
    [failed] = done.json["failed"]
    assert (failed["slug"], failed["error"]["code"]) == ("a1", "invalid_credentials")
    assert sorted(slugs(cli)) == ["a0", "groq"]
    assert len(done.err.splitlines()) == 1
    assert KEY.encode() not in written_bytes(home)
    assert OTHER not in json.dumps(done.json) + done.err


def test_where_no_key_can_be_kept_nothing_is_added(
    cli: Cli, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk_" + "c4naryC4nary" * 4)
    done = cli("providers", "discover", "--apply", "--env-file", str(env_file), "--json")
    assert (done.status, done.json["error"]["code"]) == (7, "vault_locked")
    assert slugs(cli) == []


def _sources(monkeypatch: pytest.MonkeyPatch, url: str, *names: str) -> None:
    for name in ("CATWALK", "MODELSDEV", "OPENROUTER", "GENAI"):
        monkeypatch.setenv(f"SWITCHROOM_CATALOG__{name}", url if name in names else "none")


def test_a_source_that_fails_is_one_line_and_no_number(
    cli: Cli, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    _sources(monkeypatch, wire.url, "CATWALK", "GENAI")
    done = cli("catalog", "refresh", "--json")
    assert done.status == 5
    assert [(one["state"], one["models"], one["providers"]) for one in done.json["sources"]] == [
        ("error", None, None)
    ] * 2
    (line,) = done.err.splitlines()
    assert line.startswith("switchroom: 2 of 2 sources gave no list: genai-prices, Catwalk.")
    told = cli("catalog", "refresh", "--source", "catwalk").err.splitlines()
    (line,) = [line for line in told if line.startswith("switchroom: ")]
    assert "Catwalk" in line


def test_offline_is_told_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    _sources(monkeypatch, "https://catwalk.invalid", "CATWALK")
    monkeypatch.setenv("SWITCHROOM_OFFLINE", "1")
    done = cli("catalog", "refresh", "--json")
    assert (done.status, done.json["sources"][0]["error"]["code"]) == (3, "offline")
    assert len(done.err.splitlines()) == 1


def test_an_empty_list_of_sources_is_no_failure(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    _sources(monkeypatch, "none")
    done = cli("catalog", "refresh", "--json")
    assert (done.status, done.json["sources"], done.err) == (0, [], "")


def test_what_is_left_of_a_tiny_limit_is_an_amount(cli: Cli, wire: Wire) -> None:
    assert cli("providers", "add", "p", "--url", wire.url).status == 0
    assert cli("models", "price", "p/echo", "--in", "1", "--out", "2").status == 0
    assert cli("budget", "set", "--daily", "0.0000001").status == 0
    done = cli("models", "probe", "p/echo", "--cap", "tools", "--json")
    assert done.status == 3
    assert "limit of less than $0.000001 leaves less than $0.000001:" in done.err
    assert wire.seen == []


def test_a_vendor_that_is_kept_for_later_says_so(cli: Cli) -> None:
    done = cli("providers", "add", "a", "--type", "vertexai", "--url", "https://v.invalid/v1", "--no-test")
    assert done.status == 0
    assert "It is kept for later: sign-in with Google Cloud is not built yet." in done.out
    assert "switchroom sync" not in done.out
    assert "Next: switchroom sync b" in cli("providers", "add", "b", "--type", "groq", "--no-test").out
    assert "Did you mean groq?" in cli("providers", "add", "c", "--type", "GROQ", "--no-test").err


def test_minus_nothing_is_nothing(cli: Cli, wire: Wire) -> None:
    assert cli("providers", "add", "p", "--url", wire.url).status == 0
    done = cli("models", "price", "p/echo", "--in", "-0", "--out", "-0.0", "--json")
    assert (done.json["after"]["input"], done.json["after"]["output"]) == ("0", "0")


def test_a_server_that_repeats_the_key_as_a_model_does_not_get_it_kept(
    cli: Cli, wire: Wire, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.key = KEY
    wire.models = ["echo", KEY, f"models/{KEY}"]
    monkeypatch.setenv("MY_KEY", KEY)
    assert cli("providers", "add", "p", "--url", wire.url, "--key-env", "MY_KEY").status == 0
    done = cli("sync", "--json")
    assert (done.status, done.json["providers"][0]["diff"]["added"]) == (0, ["echo"])
    assert KEY.encode() not in written_bytes(home)
    wire.key, wire.models = "echo", ["echo", "echo-2"]
    monkeypatch.setenv("MY_KEY", "echo")  # a word that a local server takes for a key
    assert cli("sync", "--json").json["providers"][0]["total"] == 2
