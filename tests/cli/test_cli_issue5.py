"""Command lines that reach beyond what can be: times, lengths, and keys whose place is locked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cli_harness import KEY, Done, Wire

Cli = Callable[..., Done]


@pytest.mark.parametrize(
    "arguments",
    [
        ("usage", "why", "--day", "9999-12-31"),
        ("usage", "why", "--day", "0001-01-01"),
        ("usage", "--month", "9999-12"),
        ("usage", "--source", "both", "--month", "9999-12"),
        ("usage", "--from", "0001-01-01"),
        ("chat", "-m", "a/b", "--max-tokens", "1000000001", "hi"),
        ("estimate", "-m", "a/b", "--max-tokens", "99999999999999999999", "hi"),
    ],
)
def test_what_reaches_beyond_all_measure_is_refused(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments, "--json")
    assert (done.status, done.json["error"]["code"]) == (2, "usage")


def test_a_key_removed_from_a_locked_vault_is_said_to_lie_there_still(
    cli: Cli, wire: Wire, vault_key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("providers", "add", "mine", "--url", wire.url, "--option", "account=openai", "--key-stdin", "--no-test", stdin=KEY).status == 0  # fmt: skip
    monkeypatch.setenv("ADMIN", "sk-admin-canary")
    assert cli("keys", "set", "mine", "--role", "admin", "--key-env", "ADMIN", "--no-test").status == 0
    monkeypatch.delenv("SWITCHROOM_VAULT_KEY_FILE")
    done = cli("keys", "remove", "mine", "--role", "admin")
    assert (done.status, done.out) == (0, "Forgot the admin key of mine (env ADMIN).\n"), "nothing is left"
    done = cli("keys", "remove", "mine")
    assert done.status == 0
    assert done.out.rstrip().endswith("Its stored key stays in the vault until it is next unlocked.")
