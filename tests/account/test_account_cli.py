"""`providers account` and `keys --role admin` as a user types them: what is shown, kept, refused, and how it ends."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from account_vendors import ADMIN, KEY, Accounts

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(home: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command line in this process: exit status, standard output, standard error."""
    monkeypatch.setenv("SWITCHROOM_SECURITY__BACKEND", "file")

    def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        from cli.main import main

        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            status = main(list(arguments))
            out.flush()
            err.flush()
        told, complained = (stream.buffer.getvalue().decode() for stream in (out, err))
        assert ADMIN not in told + complained
        return status, told, complained

    return run


def add(cli: Cli, url: str, slug: str, vendor: str) -> None:
    status, _, err = cli("providers", "add", slug, "--type", "openai", "--url", url, "--option", f"account={vendor}", "--key-stdin", "--no-test", stdin=KEY)  # fmt: skip
    assert status == 0, err


def shown(cli: Cli, *arguments: str) -> tuple[int, Any]:
    status, out, _ = cli("providers", "account", *arguments, "--json")
    return status, json.loads(out)


def test_from_no_key_to_a_bill_and_back(cli: Cli, url: str, accounts: Accounts) -> None:
    add(cli, f"{url}/v1", "mine", "openai")
    status, out, err = cli("providers", "account", "mine")
    assert (status, err.count("switchroom: ")) == (4, 1), "no key opens it"
    status, found = shown(cli, "mine")
    assert (status, found["state"], found["error"]["code"]) == (4, "needs_key", "invalid_credentials")
    assert "shows the account only to an admin key" in out
    assert "switchroom keys set mine --role admin --key-stdin" in out
    status, _, err = cli("keys", "set", "mine", "--role", "admin", "--key-stdin", stdin=KEY)
    assert status == 4
    assert "does not open the account" in err
    status, out, _ = cli("keys", "set", "mine", "--role", "admin", "--key-stdin", "--dry-run", stdin=ADMIN)
    assert (status, "Would give mine this admin key" in out) == (0, True)
    assert json.loads(cli("keys", "status", "mine", "--json")[1])["keys"][0]["admin_key"] is None
    status, out, _ = cli("keys", "set", "mine", "--role", "admin", "--key-stdin", stdin=ADMIN)
    assert (status, "has its admin key now (file …7777)" in out) == (0, True)
    [both] = json.loads(cli("keys", "status", "mine", "--json")[1])["keys"]
    assert both["key"] == {"source": "file", "last4": "5555"}
    assert both["admin_key"] == {"source": "file", "last4": "7777", "state": "ready", "message": None}
    assert "mine (admin)" in cli("keys", "status")[1]

    status, found = shown(cli, "mine", "--days", "3")
    assert (status, found["state"], found["error"]) == (0, "ok", None)
    assert found["figures"][0] == {
        "name": "spending limit", "kind": "limit", "value": "100.5", "unit": "USD", "per": "month", "text": "not reached",
    }  # fmt: skip
    assert [day["cost_usd"] for day in found["days"]] == ["0.160100000"] * 3
    assert found["days"][0]["cache_write"] is None, "unknown is null"
    assert [one["model"] for one in found["models"]] == ["gpt-x"]
    assert {one["item"]: one["cost_usd"] for one in found["items"]} == {
        "gpt-x, input": "0.180300000", "gpt-x, output": "0.300000000",
    }  # fmt: skip
    asked = len(accounts.asked)
    text = cli("providers", "account", "mine", "--days", "3")[1]
    assert len(accounts.asked) == asked, "what is younger than ten minutes is not asked for again"
    assert "$100.50 a month, not reached" in text
    assert "LINE ITEM" in text

    status, out, _ = cli("keys", "remove", "mine", "--role", "admin")
    assert (status, "Forgot the admin key of mine (file …7777)" in out) == (0, True)
    assert cli("keys", "remove", "mine", "--role", "admin")[0] == 2


def test_each_end_has_its_exit_status(cli: Cli, url: str, accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    add(cli, url, "deep", "deepseek")
    assert cli("providers", "account", "deep", "--pull", "--read-only")[0] == 3
    status, found = shown(cli, "deep", "--read-only")
    assert (status, found["figures"][0]["unit"]) == (0, "CNY")
    status, found = shown(cli, "deep", "--dry-run")
    assert (status, found["dry_run"]) == (0, True)
    accounts.answer = (503, {"error": {"message": "busy"}})
    status, found = shown(cli, "deep")
    assert (status, found["state"], found["report_at"]) == (5, "error", None)
    accounts.answer = (401, {"error": {"message": "bad key"}})
    assert cli("keys", "set", "deep", "--role", "admin", "--key-stdin", stdin=ADMIN)[0] == 2
    assert cli("providers", "account", "nobody")[0] == 6


def test_a_provider_without_an_account_says_so_and_that_is_no_error(cli: Cli, url: str) -> None:
    status, _, err = cli("providers", "add", "own", "--url", f"{url}/v1", "--no-test")
    assert status == 0, err
    status, found = shown(cli, "own")
    assert (status, found["state"], found["error"]) == (0, "no_api", None)
    assert "bills nobody" in found["message"]


def test_another_address_drops_the_admin_key_in_words(cli: Cli, url: str) -> None:
    add(cli, f"{url}/v1", "mine", "openai")
    assert cli("keys", "set", "mine", "--role", "admin", "--key-stdin", stdin=ADMIN)[0] == 0
    assert "delete its admin key" in cli("providers", "edit", "mine", "--url", "http://127.0.0.1:9/v1", "--dry-run")[1]  # fmt: skip
    out = cli("providers", "edit", "mine", "--url", "http://127.0.0.1:9/v1")[1]
    assert "Its admin key was for the old address and is deleted." in out
