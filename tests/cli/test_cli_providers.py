"""Connecting providers and giving them keys: what a user types, what is stored, and what must never be seen."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_harness import KEY, Wire, program, written_bytes

from services.paths import under

Cli = Callable[..., Any]
ROW = {
    "slug", "name", "type", "url", "enabled", "state", "key", "models", "auto_sync", "last_validated_at", "last_sync",
}  # fmt: skip
OTHER = "sk-canary-ffffffffffffffff"


def test_add_sync_list_show(cli: Cli, wire: Wire) -> None:
    added = cli(
        "providers",
        "add",
        "tiny",
        "--url",
        wire.url,
        "--label",
        "team=a",
        "--option",
        "organization=o",
        "--json",
    )
    assert added.status == 0, added.err
    assert added.json["slug"] == "tiny"
    assert added.json["state"] == "ok"
    assert cli("sync", "tiny").status == 0
    row = cli("providers", "list", "--json").json["providers"][0]
    assert set(row) >= ROW
    assert row["type"] == "openai"
    assert row["key"] is None
    assert row["models"] == {"enabled": 3, "total": 3}
    assert set(row["last_sync"]) == {"at", "state", "error"}
    assert row["last_validated_at"].endswith("Z")
    shown = cli("providers", "show", "tiny", "--json").json
    assert shown["labels"] == {"team": "a"}
    assert shown["options"] == {"organization": "o"}
    assert "tiny" in cli("providers", "list").out
    assert "team=a" in cli("providers", "show", "tiny").out


def test_a_key_from_standard_input_is_kept_and_never_shown(
    cli: Cli, wire: Wire, home: Path, vault_key: Path
) -> None:
    wire.key = KEY
    wrong = cli("providers", "add", "tiny", "--url", wire.url, "--key-stdin", "--json", stdin=f"{OTHER}\n")
    assert wrong.status == 4
    assert wrong.json["error"]["code"] == "invalid_credentials"
    assert cli("providers", "list", "--json").json == {"providers": []}
    right = cli("providers", "add", "tiny", "--url", wire.url, "--key-stdin", "--json", stdin=f"{KEY}\n")
    assert right.status == 0, right.err
    assert right.json["key"] == {"source": "vault", "last4": KEY[-4:]}
    outputs = [
        wrong,
        right,
        cli("providers", "show", "tiny"),
        cli("keys", "status"),
        cli("audit", "list", "--json"),
    ]
    assert not [done for done in outputs if "canary" in done.out + done.err]
    assert b"canary" not in written_bytes(home)
    assert cli("chat", "-m", "tiny/echo", "hi").status == 0


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"two words\n", "space"),
        (b"a\nb\n", "line end"),
        (b"\xff\xfe", "not text"),
    ],
)
def test_what_is_no_key_is_refused_before_anything_is_contacted(
    cli: Cli, wire: Wire, given: bytes, word: str
) -> None:
    done = cli("providers", "add", "--url", wire.url, "--key-stdin", "--json", stdin=given)
    assert done.status == 2
    assert word in done.json["error"]["message"]
    assert wire.paths == []


def test_exactly_one_line_end_belongs_to_the_pipe(cli: Cli, wire: Wire, vault_key: Path) -> None:
    wire.key = KEY
    done = cli("providers", "test", "--url", wire.url, "--key-stdin", "--json", stdin=f"{KEY}\r\n")
    assert done.json["state"] == "ok"
    assert cli("providers", "test", "--url", wire.url, "--key-stdin", stdin=f"{KEY}\n\n").status == 2


def test_a_key_in_the_environment_is_a_reference(
    cli: Cli, wire: Wire, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.key = KEY
    unset = cli("providers", "add", "tiny", "--url", wire.url, "--key-env", "MY_TEST_KEY", "--json")
    assert unset.status == 4
    assert unset.json["error"]["code"] == "invalid_credentials"
    pasted = cli("providers", "add", "tiny", "--url", wire.url, "--key-env", KEY)
    assert pasted.status == 2
    assert KEY not in pasted.err
    monkeypatch.setenv("MY_TEST_KEY", KEY)
    done = cli("providers", "add", "tiny", "--url", wire.url, "--key-env", "MY_TEST_KEY", "--json")
    assert done.status == 0, done.err
    assert done.json["key"]["source"] == "env"
    assert done.json["key"]["name"] == "MY_TEST_KEY"
    assert b"canary" not in written_bytes(home)
    monkeypatch.delenv("MY_TEST_KEY")
    gone = cli("chat", "-m", "tiny/echo", "--json", "hi")
    assert gone.status == 4
    assert gone.json["error"]["code"] == "invalid_credentials"
    assert cli("keys", "status").status == 0
    assert cli("keys", "status", "--json").json["keys"][0]["state"] == "missing"


def test_secret_headers_follow_the_key_on_standard_input(
    cli: Cli, wire: Wire, home: Path, vault_key: Path
) -> None:
    add = (
        "providers",
        "add",
        "tiny",
        "--url",
        wire.url,
        "--key-stdin",
        "--secret-header",
        "X-Team",
        "--json",
    )
    assert cli(*add, stdin=f"{KEY}\n").status == 2
    done = cli(*add, stdin=f"{KEY}\n{OTHER}\n")
    assert done.status == 0, done.err
    assert cli("providers", "show", "tiny", "--json").json["secret_headers"] == ["X-Team"]
    assert b"canary" not in written_bytes(home)
    in_clear = cli(
        "providers", "add", "other", "--url", wire.url, "--header", f"Authorization={OTHER}", "--json"
    )
    assert in_clear.status == 2
    assert OTHER not in in_clear.out + in_clear.err


def test_a_password_in_a_proxy_argument_is_refused(cli: Cli, wire: Wire) -> None:
    done = cli("providers", "add", "--url", wire.url, "--proxy", "http://user:pw-canary@127.0.0.1:1")
    assert done.status == 2
    assert "canary" not in done.err


def test_keys_set_and_remove(cli: Cli, wire: Wire, vault_key: Path) -> None:
    wire.key = KEY
    assert cli("providers", "add", "tiny", "--url", wire.url, "--no-test").status == 0
    assert cli("providers", "test", "tiny").status == 4
    assert cli("keys", "set", "tiny", "--key-stdin", "--json", stdin=OTHER).status == 4
    assert cli("keys", "status", "tiny", "--json").json["keys"][0]["state"] == "none"
    assert cli("keys", "set", "tiny").status == 2
    done = cli("keys", "set", "tiny", "--key-stdin", "--json", stdin=KEY)
    assert done.status == 0, done.err
    assert cli("keys", "status", "tiny", "--json").json["keys"][0]["state"] == "ready"
    assert cli("providers", "test", "tiny", "--json").json["state"] == "ok"
    assert cli("keys", "remove", "tiny", "--json").json["key"] is None
    assert cli("providers", "test", "tiny").status == 4
    assert cli("keys", "status", "nobody").status == 0
    assert cli("keys", "set", "nobody", "--key-stdin", stdin=KEY).status == 6


def test_edit_enable_disable_remove(cli: Cli, wire: Wire) -> None:
    assert cli("providers", "add", "tiny", "--url", wire.url).status == 0
    assert cli("providers", "edit", "tiny").status == 2
    done = cli(
        "providers",
        "edit",
        "tiny",
        "--name",
        "Tiny",
        "--retries",
        "0",
        "--sync",
        "6h",
        "--cost",
        "own",
        "--gpu-hour",
        "1.20",
        "--json",
    )
    assert done.status == 0, done.err
    shown = cli("providers", "show", "tiny", "--json").json
    assert (shown["name"], shown["retries"], shown["auto_sync"]) == ("Tiny", 0, "6h")
    assert (shown["cost_mode"], shown["gpu_hour_usd"]) == ("own", "1.200000000")
    assert cli("providers", "disable", "tiny", "--json").json["enabled"] is False
    assert cli("providers", "list", "--json").json["providers"][0]["enabled"] is False
    assert cli("sync", "--json").json == {"providers": []}
    assert cli("providers", "enable", "tiny").status == 0
    assert cli("providers", "remove", "tiny", "--json").json["removed"] == "tiny"
    for gone in (
        ("show", "tiny"),
        ("remove", "tiny"),
        ("enable", "tiny"),
        ("edit", "tiny", "--name", "x"),
        ("test", "tiny"),
    ):
        done = cli("providers", *gone, "--json")
        assert done.status == 6
        assert done.json["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    "wrong",
    [
        ("--url", "http://example.com/v1"),
        ("--type", "nonesuch", "--url", "http://127.0.0.1:9"),
        ("--url", "http://127.0.0.1:9", "--retries", "many"),
        ("--url", "http://127.0.0.1:9", "--label", "no-equals"),
        ("--url", "http://127.0.0.1:9", "--discount", "120"),
        ("--url", "http://127.0.0.1:9", "--gpu-hour", "nan"),
        ("--url", "http://127.0.0.1:9", "--sync", "sometimes"),
        ("--url", "http://10.0.0.1:9"),
        ("BAD SLUG", "--url", "http://127.0.0.1:9"),
        (),
    ],
)
def test_options_that_cannot_be_taken_are_2(cli: Cli, wrong: tuple[str, ...]) -> None:
    done = cli("providers", "add", *wrong, "--no-test", "--json")
    assert done.status == 2
    assert done.json["error"]["code"] == "usage"


def test_a_name_that_is_taken_is_2(cli: Cli, wire: Wire) -> None:
    assert cli("providers", "add", "tiny", "--url", wire.url).status == 0
    assert cli("providers", "add", "tiny", "--url", wire.url).status == 2


def test_nobody_at_the_address_is_5_and_nothing_is_saved(cli: Cli) -> None:
    done = cli("providers", "add", "gone", "--url", "http://127.0.0.1:9/v1", "--json")
    assert done.status == 5
    assert done.json["error"]["code"] == "network"
    tested = cli("providers", "test", "--url", "http://127.0.0.1:9/v1", "--json")
    assert tested.status == 5
    assert tested.json["error"]["code"] == "network"
    assert tested.json["ok"] is False
    assert cli("providers", "list", "--json").json == {"providers": []}


def test_testing_an_address_saves_nothing(cli: Cli, wire: Wire) -> None:
    assert cli("providers", "test", "--url", wire.url).status == 0
    assert cli("providers", "test").status == 2
    assert cli("providers", "test", "x", "--url", wire.url).status == 2
    assert cli("providers", "list", "--json").json == {"providers": []}


def test_dry_run_changes_nothing(cli: Cli, wire: Wire, vault_key: Path, home: Path) -> None:
    assert cli("providers", "add", "kept", "--url", wire.url).status == 0
    assert cli("sync").status == 0
    assert cli("budget", "set", "--daily", "5").status == 0
    before = _state(cli)
    dry = [
        ("providers", "add", "new", "--url", wire.url, "--key-stdin"),
        ("providers", "edit", "kept", "--name", "Other"),
        ("providers", "disable", "kept"),
        ("providers", "enable", "kept"),
        ("providers", "remove", "kept"),
        ("keys", "set", "kept", "--key-stdin"),
        ("keys", "remove", "kept"),
        ("models", "disable", "kept/echo"),
        ("models", "enable", "kept/echo"),
        ("models", "default", "kept/echo"),
        ("budget", "set", "--monthly", "50"),
        ("budget", "remove", "1"),
        ("offline", "on"),
        ("offline", "off"),
        ("vault", "init"),
        ("vault", "move", "file"),
        ("audit", "export", str(home / "x.jsonl")),
    ]
    wire.models.append("later")
    for arguments in [*dry, ("sync",)]:
        done = cli(*arguments, "--dry-run", "--json", stdin=KEY)
        assert done.status == 0, (arguments, done.err)
        assert done.json["dry_run"] is True
    for arguments in dry:
        assert cli(*arguments, "--dry-run", stdin=KEY).out.startswith("Would "), arguments
    assert _state(cli) == before
    assert not under(home).vault_file.exists()
    assert not (home / "x.jsonl").exists()


def _state(cli: Cli) -> list[Any]:
    commands = [
        "providers list",
        "models list",
        "models default",
        "budget list",
        "offline status",
        "vault status",
        "audit verify",
    ]
    found = [cli(*command.split(), "--json").json for command in commands]
    for row in found[3]["budgets"]:
        row.pop("changed_at")
    return found


def test_the_reason_is_in_the_audit_log(cli: Cli, wire: Wire) -> None:
    assert cli("providers", "add", "tiny", "--url", wire.url, "--reason", "ticket 4711").status == 0
    rows = cli("audit", "list", "--action", "provider.add", "--json").json["rows"]
    assert [row["reason"] for row in rows] == ["ticket 4711"]
    assert set(rows[0]) >= {"id", "at", "actor", "action", "subject", "result", "detail"}
    assert rows[0]["subject"] == "tiny"


def test_the_vault_from_a_key_file(cli: Cli, wire: Wire, vault_key: Path, home: Path) -> None:
    assert cli("vault", "unlock").status == 7
    assert cli("vault", "init", "--json").json["backend"] == "vault"
    assert cli("vault", "init").status == 2
    assert cli("vault", "unlock").status == 0
    assert cli("vault", "status", "--json").json["backend"] == "vault"
    assert cli("vault", "lock").status == 0
    assert cli("providers", "add", "tiny", "--url", wire.url, "--key-stdin", stdin=KEY).status == 0
    assert cli("vault", "passphrase", "--new-stdin", stdin="another one\n").status == 0
    assert cli("vault", "unlock", "--json").status == 7
    vault_key.write_text("another one")
    assert cli("vault", "unlock").status == 0
    moved = cli("vault", "move", "file", "--json")
    assert moved.json["moved"] == [{"from": "vault:tiny", "to": "file:tiny"}]
    assert cli("providers", "show", "tiny", "--json").json["key"]["source"] == "file"
    assert (home / "config" / "credentials" / "tiny.json").stat().st_mode & 0o777 == 0o600


def test_without_terminal_or_key_file_the_vault_is_7_and_nothing_changes(home: Path, wire: Wire) -> None:
    for arguments in (
        ("vault", "init", "--json"),
        ("providers", "add", "t", "--url", wire.url, "--key-stdin", "--json"),
    ):
        process = program(home, *arguments, stdin=subprocess.PIPE)
        out, err = process.communicate(KEY.encode())
        assert process.returncode == 7, err
        assert b'"vault_locked"' in out
    assert not under(home).vault_file.exists()
    process = program(home, "providers", "list", "--json")
    assert b'"providers": []' in process.communicate()[0]


def test_the_passphrase_is_asked_on_the_terminal_while_the_key_comes_by_pipe(home: Path, wire: Wire) -> None:
    """Standard input is a pipe with the key; the controlling terminal asks, and echoes nothing."""
    wire.key = KEY
    code = (
        "import os, subprocess, sys\n"
        "process = subprocess.Popen([sys.executable, '-m', 'cli', *sys.argv[1:]], stdin=subprocess.PIPE)\n"
        f"process.communicate({KEY!r}.encode())\n"
        "sys.exit(process.returncode)\n"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ |= {
            "SWITCHROOM_HOME": str(home),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }
        import sys

        os.execv(
            sys.executable,
            [sys.executable, "-c", code, "providers", "add", "t", "--url", wire.url, "--key-stdin"],
        )
    seen = b""
    answers = [b"New vault passphrase: ", b"The same again: "]
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        seen += piece
        if answers and seen.endswith(answers[0]):
            answers.pop(0)
            os.write(terminal, b"open sesame\n")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, seen
    assert b"Added t" in seen
    assert b"sesame" not in seen
    assert under(home).vault_file.exists()


def test_health(cli: Cli, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("health").status == 0
    assert cli("providers", "add", "tiny", "--url", wire.url).status == 0
    good = cli("health", "--probe", "--json")
    assert good.status == 0
    assert good.json["status"] == "ok"
    assert good.json["providers"][0].items() >= {"slug": "tiny", "state": "ok", "configured": True}.items()
    assert set(good.json["vault"]) >= {"backend", "state"}
    wire.key = KEY
    unrecorded = cli("health", "--probe", "--json", "--read-only")
    assert (unrecorded.status, unrecorded.json["providers"][0]["state"]) == (5, "invalid_key")
    assert cli("health").status == 0
    bad = cli("health", "--probe", "--json")
    assert bad.status == 5
    assert bad.json["status"] == "degraded"
    assert bad.err.startswith("switchroom: 1 of ")
    assert len(bad.err.splitlines()) == 1
    assert bad.json["providers"][0]["state"] == "invalid_key"
    assert cli("health").status == 5
    assert cli("providers", "disable", "tiny").status == 0
    assert cli("health").status == 0
    monkeypatch.setenv("SWITCHROOM_OFFLINE", "1")
    assert cli("health", "--json").json["offline"] is True


def test_offline_keeps_loopback_and_refuses_the_rest(
    cli: Cli, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("providers", "add", "far", "--url", "https://example.invalid/v1", "--no-test").status == 0
    assert cli("providers", "add", "near", "--url", wire.url).status == 0
    assert cli("offline", "on", "--json").json["offline"] is True
    assert cli("offline", "status").out.startswith("offline")
    refused = cli("chat", "-m", "far/x", "--json", "hi")
    assert refused.status == 3
    assert refused.json["error"]["code"] == "offline"
    assert cli("chat", "-m", "near/echo", "hi").status == 0
    assert cli("offline", "off", "--json").json["offline"] is False
    monkeypatch.setenv("SWITCHROOM_OFFLINE", "1")
    assert cli("offline", "status", "--json").json["offline"] is True
    assert cli("offline", "off").status == 2
