"""What holds for every command: help, errors, exit statuses, and the flags that all of them take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from cli_harness import ROOT

from adapters import errors as wire_errors
from catalog import errors
from catalog.errors import SwitchroomError
from cli.failures import status_of
from cli.root import COMMANDS, root

Cli = Callable[..., Any]
ERROR_KEYS = {"code", "title", "message", "hint", "provider", "status"}


def every_command() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands with their names, groups left out."""
    context = click.Context(root)
    for name in COMMANDS:
        command = root.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            inside = click.Context(command)
            names = command.list_commands(inside)
            yield from (((name, inner), command.get_command(inside, inner)) for inner in names)
        else:
            yield (name,), command


LEAVES = list(every_command())
NAMES = [" ".join(names) for names, _ in LEAVES]


@pytest.mark.parametrize(("names", "command"), LEAVES, ids=NAMES)
def test_every_command_takes_json_and_read_only(names: tuple[str, ...], command: click.Command) -> None:
    options = {text for parameter in command.params for text in parameter.opts}
    assert {"--json", "--read-only"} <= options
    assert ("--dry-run" in options) == ("--reason" in options)


@pytest.mark.parametrize(("names", "command"), LEAVES, ids=NAMES)
def test_every_command_has_help_in_words(names: tuple[str, ...], command: click.Command, cli: Cli) -> None:
    done = cli(*names, "--help")
    assert done.status == 0
    assert "Usage: switchroom " + " ".join(names) in done.out
    assert command.help


@pytest.mark.parametrize(("names", "command"), LEAVES, ids=NAMES)
def test_a_wrong_option_is_2_and_a_document_with_json(
    names: tuple[str, ...], command: click.Command, cli: Cli
) -> None:
    done = cli(*names, "--no-such-option", "--json")
    assert done.status == 2
    assert set(done.json) == {"error"}
    assert set(done.json["error"]) == ERROR_KEYS
    assert done.json["error"]["code"] == "usage"
    assert len(done.err.splitlines()) == 1


def test_a_mistyped_command_names_the_nearest(cli: Cli) -> None:
    assert cli("provders").status == 2
    assert "Did you mean 'providers'?" in cli("provders").err
    assert "Did you mean 'list'?" in cli("providers", "lst").err


def test_a_group_alone_shows_its_help_as_a_mistake(cli: Cli) -> None:
    done = cli("providers")
    assert done.status == 2
    assert done.out == ""
    assert "add" in done.err


def test_without_a_terminal_the_screen_is_refused(cli: Cli) -> None:
    done = cli()
    assert done.status == 2
    assert "needs a terminal" in done.err
    assert cli("--demo").status == 2


def test_version(cli: Cli) -> None:
    done = cli("--version")
    assert done.status == 0
    assert done.out.startswith("switchroom ")


def test_the_flag_after_two_dashes_is_a_prompt(cli: Cli) -> None:
    done = cli("estimate", "--", "--json")
    assert done.status in (2, 6)
    assert done.out == ""


CODES = {
    "usage": 2, "budget": 3, "unpriced": 3, "offline": 3, "privacy": 3, "read_only": 3,
    "invalid_credentials": 4, "permission": 4,
    "no_credit": 5, "rate_limited": 5, "model_unavailable": 5, "context_too_long": 5, "content_filtered": 5,
    "bad_request": 5, "network": 5, "timeout": 5, "unexpected_response": 5, "interrupted": 5,
    "not_found": 6, "vault_locked": 7, "store": 7,
}  # fmt: skip


def _every_error() -> list[type[SwitchroomError]]:
    found = [SwitchroomError]
    for kind in found:
        found += [
            sub for sub in kind.__subclasses__() if sub.__module__.split(".")[0] in ("catalog", "adapters")
        ]
    return found


@pytest.mark.parametrize("kind", _every_error())
def test_each_error_has_the_exit_status_of_the_contract(kind: type[SwitchroomError]) -> None:
    assert status_of(kind("x")) == CODES[kind.code]


def test_the_error_tree_was_found() -> None:
    assert errors.BudgetExceededError in _every_error()
    assert wire_errors.RateLimitedError in _every_error()


CHANGING = [
    ("providers", "add", "x", "--url", "http://127.0.0.1:9/v1"),
    ("providers", "edit", "x", "--name", "y"),
    ("providers", "remove", "x"),
    ("providers", "enable", "x"),
    ("providers", "disable", "x"),
    ("providers", "login", "x"),
    ("providers", "account", "x", "--pull"),
    ("keys", "set", "x", "--key-stdin"),
    ("keys", "remove", "x"),
    ("vault", "init"),
    ("vault", "passphrase"),
    ("vault", "move", "file"),
    ("sync",),
    ("models", "enable", "x/y"),
    ("models", "disable", "x/y"),
    ("models", "default", "x/y"),
    ("models", "price", "x/y", "--in", "1", "--out", "2"),
    ("models", "map", "x/y", "--own"),
    ("models", "say", "x/y", "tools=yes"),
    ("models", "probe", "x/y"),
    ("models", "pull", "x", "y"),
    ("models", "delete", "x", "y"),
    ("models", "copy", "x", "y", "z"),
    ("providers", "discover", "--apply"),
    ("catalog", "refresh"),
    ("config", "import", "nothing.json"),
    ("usage", "import", "nothing.csv"),
    ("budget", "set", "--daily", "5"),
    ("budget", "remove", "1"),
    ("audit", "export", "x.jsonl"),
    ("offline", "on"),
    ("offline", "off"),
]


def test_every_changing_command_is_listed_here() -> None:
    changing = {
        names
        for names, command in LEAVES
        if any("--dry-run" in parameter.opts for parameter in command.params)
    }
    assert changing == {arguments[: 1 if arguments[0] == "sync" else 2] for arguments in CHANGING}


@pytest.mark.parametrize("arguments", CHANGING, ids=" ".join)
def test_read_only_refuses_every_change(
    arguments: tuple[str, ...], cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after, before = cli(*arguments, "--read-only", "--json"), cli("--read-only", *arguments, "--json")
    monkeypatch.setenv("SWITCHROOM_READ_ONLY", "1")
    for done in (after, before, cli(*arguments, "--json")):
        assert done.status == 3
        assert done.json["error"]["code"] == "read_only"
    assert not list(home.rglob("*.db"))


def test_read_only_still_reads(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("offline", "on")
    monkeypatch.setenv("SWITCHROOM_READ_ONLY", "1")
    assert cli("offline", "status", "--json").json["offline"] is True
    assert cli("providers", "list", "--json").status == 0
    assert cli("models", "default").status == 0
    assert cli("health").status == 0


def test_a_broken_store_is_7_and_left_alone(cli: Cli, home: Path) -> None:
    (home / "data").mkdir()
    database = home / "data" / "switchroom.db"
    database.write_bytes(b"this is no database" * 100)
    done = cli("providers", "list", "--json")
    assert done.status == 7
    assert done.json["error"]["code"] == "store"
    health = cli("health", "--json")
    assert health.status == 7
    assert health.json["status"] == "error"
    assert set(health.json) >= {"status", "offline", "store", "vault", "providers"}
    assert cli("keys", "status").status == 0
    assert database.read_bytes() == b"this is no database" * 100


def test_a_misspelt_setting_is_named_and_config_show_still_ends_with_0(cli: Cli, home: Path) -> None:
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text("[network]\nconect_timeout = 3\n")
    refused = cli("providers", "list", "--json")
    assert refused.status == 2
    assert "connect_timeout" in json.dumps(refused.json)
    shown = cli("config", "show", "--json")
    assert shown.status == 0
    assert shown.json["error"]["code"] == "usage"


def test_a_mistake_of_ours_is_one_line_without_values(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from services import container

    def broken(*_: object, **__: object) -> None:
        secret = "sk-canary-in-a-local"  # noqa: F841
        raise RuntimeError("sk-canary-in-a-message-0123456789")

    monkeypatch.setattr(container, "open_services", broken)
    done = cli("offline", "status", "--json")
    assert done.status == 7
    assert len(done.err.splitlines()) == 1
    assert "RuntimeError" in done.err
    assert "canary" not in done.out + done.err


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, cli.main; cli.main.main(['--help']);"
        "print(sorted({'pydantic', 'aiosqlite', 'asyncio', 'httpx', 'textual', 'keyring', 'cryptography'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_listing_providers_imports_no_wire_and_no_screen(home: Path) -> None:
    code = (
        "import sys, cli.main; cli.main.main(['providers', 'list', '--json']);"
        "print(sorted({'httpx', 'textual', 'keyring', 'cryptography', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def shell(home: Path, line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command line as a shell runs it; `$S` is the program."""
    return subprocess.run(
        ["sh", "-c", line],
        cwd=ROOT,
        env={**os.environ, "S": f"{sys.executable} -m cli", "SWITCHROOM_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_closed_streams_and_full_disks_end_without_a_traceback(home: Path) -> None:
    closed_in = shell(home, "$S estimate -m x/y --json <&-")
    assert closed_in.returncode == 2
    assert json.loads(closed_in.stdout)["error"]["code"] == "usage"
    assert shell(home, "$S offline status >&-").returncode == 0
    assert shell(home, "$S providers show nobody 2>&-").returncode == 6
    full = shell(home, "$S offline status > /dev/full")
    assert full.returncode == 7
    assert len(full.stderr.splitlines()) == 1
    assert "Traceback" not in full.stderr
    assert shell(home, "$S providers show nobody --json > /dev/full").returncode == 7


def test_a_terminal_without_unicode_gets_whole_documents(home: Path) -> None:
    own = home / "config" / "user-catalog"
    own.mkdir(parents=True)
    (own / "a.json").write_text(
        json.dumps(
            {
                "id": "a",
                "name": "żółć 🙂",
                "type": "openai",
                "api_endpoint": "https://a.invalid/v1",
                "models": [],
            }
        )
    )
    done = shell(home, "$S catalog list --json", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "żółć 🙂" in [row["name"] for row in json.loads(done.stdout)["providers"]]
    assert shell(home, "$S catalog list", PYTHONIOENCODING="ascii").returncode == 0
