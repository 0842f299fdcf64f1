"""`models probe` and `models say` as a user types them: documents, tables, exit statuses."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cli_harness import Wire, program, write_vendor

Cli = Callable[..., Any]
PROBE = {"model", "capability", "can", "detail", "cost_usd", "cost_grade", "at", "error"}


@pytest.fixture
def tiny(cli: Cli, wire: Wire) -> Wire:
    wire.models = ["echo", "tool", "think", "broke", "nowhere", "down", "forbidden"]
    assert cli("providers", "add", "tiny", "--url", wire.url, "--retries", "0").status == 0
    assert cli("sync", "tiny").status == 0
    return wire


@pytest.fixture
def priced(cli: Cli, wire: Wire, home: Path) -> Wire:
    write_vendor(home)
    added = cli(
        "providers", "add", "paid", "--type", "acme", "--url", wire.url, "--cost", "metered", "--no-test"
    )
    assert added.status == 0, added.err
    return wire


def test_a_yes_is_kept_and_shown_with_its_source(cli: Cli, tiny: Wire) -> None:
    done = cli("models", "probe", "tiny/tool", "--cap", "tools", "--json")
    assert (done.status, done.err) == (0, "")
    [found] = done.json["probes"]
    assert set(found) == PROBE
    assert (found["model"], found["capability"], found["can"]) == ("tiny/tool", "tools", True), found
    assert found["cost_grade"] == "own"
    assert done.json["models"][0]["ref"] == "tiny/tool"
    assert "✓ asked 20" in cli("models", "show", "tiny/tool").out


def test_a_no_is_an_answer(cli: Cli, tiny: Wire) -> None:
    done = cli("models", "probe", "tiny/echo", "--cap", "tools, json")
    assert done.status == 0
    assert "tiny/echo  no     no" in done.out
    assert "There is no price per token." in done.out
    assert "2 of 2" in done.err
    shown = cli("models", "show", "tiny/echo")
    assert "tools  " in shown.out
    assert "✕ asked 20" in shown.out
    document = cli("models", "show", "tiny/echo", "--json").json
    assert document["sources"]["capabilities.tools"] == "probe"
    assert "tools" not in document["capabilities"]


def test_thinking_is_seen(cli: Cli, tiny: Wire) -> None:
    done = cli("models", "probe", "tiny/think", "--cap", "reasoning", "--json")
    assert (done.status, done.json["probes"][0]["can"]) == (0, True)
    assert done.json["models"][0]["sources"]["capabilities.reasoning"] == "probe"


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("broke", 5, "no_credit"),
        ("nowhere", 5, "model_unavailable"),
        ("forbidden", 4, "permission"),
        ("down", 5, "unexpected_response"),
    ],
)
def test_what_could_not_be_told_changes_nothing(
    cli: Cli, tiny: Wire, model: str, status: int, code: str
) -> None:
    done = cli("models", "probe", f"tiny/{model}", "--cap", "tools", "--retries", "0", "--json")
    assert done.status == status, done.err
    [found] = done.json["probes"]
    assert (found["can"], found["error"]["code"]) == (None, code)
    assert "capabilities.tools" not in done.json["models"][0]["sources"]


def test_the_cost_is_said_and_nothing_is_sent(cli: Cli, priced: Wire) -> None:
    done = cli("models", "probe", "paid/gpt-4o", "--dry-run", "--json")
    assert done.status == 0
    cost = done.json["estimate"]["cost_usd"]
    assert 0 < Decimal(cost["low"]) < Decimal(cost["high"]) < 1
    assert (done.json["estimate"]["questions"], done.json["dry_run"], done.json["probes"]) == (4, True, [])
    words = cli("models", "probe", "paid/gpt-4o", "paid/gpt-4o-mini", "--dry-run")
    assert "Would ask 2 models 8 questions ($" in words.out
    assert priced.seen == []


def test_what_it_cost_is_in_usage_under_its_caller(cli: Cli, priced: Wire, home: Path) -> None:
    done = cli("models", "probe", "paid/gpt-4o", "--cap", "tools,json", "--json")
    assert done.status == 0
    assert [p["cost_grade"] for p in done.json["probes"]] == ["computed", "computed"]
    spent = sum(Decimal(p["cost_usd"]) for p in done.json["probes"])
    total = cli("usage", "--json").json["total"]
    assert (total["runs"], Decimal(total["cost_usd"])) == (2, spent)
    with sqlite3.connect(home / "data" / "switchroom.db") as store:
        assert store.execute("SELECT DISTINCT caller, conversation_id FROM ledger").fetchall() == [
            ("probe", None)
        ]


def test_a_limit_refuses(cli: Cli, priced: Wire) -> None:
    assert cli("budget", "set", "--daily", "0.000001").status == 0
    done = cli("models", "probe", "paid/gpt-4o", "--cap", "tools", "--json")
    assert (done.status, done.json["probes"][0]["error"]["code"]) == (3, "budget")
    assert priced.seen == []


def test_an_unknown_price_under_a_limit(cli: Cli, wire: Wire) -> None:
    added = cli("providers", "add", "dear", "--url", wire.url, "--cost", "metered", "--retries", "0")
    assert added.status == 0
    assert cli("sync", "dear").status == 0
    assert cli("budget", "set", "--daily", "1").status == 0
    done = cli("models", "probe", "dear/echo", "--cap", "tools", "--json")
    assert (done.status, done.json["probes"][0]["error"]["code"]) == (3, "unpriced")
    assert done.json["estimate"] == {
        "questions": 1,
        "cost_usd": None,
        "known_usd": None,
        "unknown": ["dear/echo"],
    }
    done = cli("models", "probe", "dear/echo", "--cap", "tools", "--allow-unpriced", "--json")
    assert (done.status, done.json["probes"][0]["can"], done.json["probes"][0]["cost_grade"]) == (
        0,
        False,
        "unknown",
    )


def test_refusals_before_anything_is_sent(cli: Cli, tiny: Wire) -> None:
    before = len(tiny.seen)
    assert cli("models", "probe", "tiny/nobody").status == 6
    assert cli("models", "probe", "ghost/x").status == 6
    assert cli("models", "probe", "tiny/echo", "--cap", "audio").status == 2
    assert cli("models", "probe", "tiny/echo", "--cap", "").status == 2
    assert cli("models", "probe", "tiny/echo", "--read-only").status == 3
    assert len(tiny.seen) == before


def said_words(cli: Cli, name: str) -> str:
    """The line of `models show` about an ability."""
    lines: list[str] = cli("models", "show", "tiny/echo").out.splitlines()
    return next(line for line in lines if line.startswith(name))


def test_the_users_own_word(cli: Cli, tiny: Wire) -> None:
    assert cli("models", "probe", "tiny/echo", "--cap", "tools").status == 0
    said = cli("models", "say", "tiny/echo", "tools=yes", "audio=no", "--reason", "tried it", "--json")
    assert said.status == 0
    assert said.json["model"]["sources"]["capabilities.tools"] == "user"
    assert "tools" in said.json["model"]["capabilities"]
    assert "✓ you say so" in cli("models", "show", "tiny/echo").out
    rows = cli("audit", "list", "--action", "model.say", "--json").json["rows"]
    assert rows[0]["reason"] == "tried it"
    assert cli("models", "say", "tiny/echo", "tools=unsaid").status == 0
    assert "you say so" not in said_words(cli, "tools")
    assert "✕ you say so" in said_words(cli, "audio")
    assert cli("models", "say", "tiny/echo", "tools=perhaps").status == 2
    assert cli("models", "say", "tiny/echo", "flying=yes").status == 2
    dry = cli("models", "say", "tiny/echo", "vision=yes", "--dry-run")
    assert "Nothing was changed" in dry.out
    assert "you say so" not in said_words(cli, "vision")


def test_a_signal_stops_it_and_keeps_what_was_answered(cli: Cli, wire: Wire, home: Path) -> None:
    wire.models = ["slow"]
    assert cli("providers", "add", "tiny", "--url", wire.url).status == 0
    assert cli("sync", "tiny").status == 0
    process = program(home, "models", "probe", "tiny/slow", "--json")
    try:
        while not wire.seen:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    document = json.loads(out)
    assert process.returncode == 130
    assert [(p["capability"], p["can"], p["detail"]) for p in document["probes"]] == [
        ("tools", None, "it was stopped")
    ]
    assert wire.closed.wait(5), "the connection is closed"
