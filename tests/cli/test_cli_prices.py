"""`models price` and `models map`: the documents, what a dry run says, refusals and exit statuses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cli_harness import Wire

Cli = Callable[..., Any]
CHANGE = {"ref", "charged", "map_to", "gpu_hour_usd", "before", "after", "backtest", "model"}
SPAN = {
    "since", "until", "runs", "input", "output", "cache_read", "cache_write", "recorded_usd", "unpriced_requests",
    "before_usd", "after_usd", "cost_grade",
}  # fmt: skip
SOON = (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=12)).isoformat()


@pytest.fixture
def served(cli: Cli, wire: Wire) -> Wire:
    """The server, paid by tokens, its models without any price."""
    done = cli("providers", "add", "mine", "--url", wire.url, "--cost", "metered")
    assert done.status == 0, done.err
    assert cli("sync", "mine").status == 0
    return wire


def test_a_price_is_typed_and_a_run_costs_it(cli: Cli, served: Wire) -> None:
    done = cli(
        "models", "price", "mine/echo", "--in", "2", "--out", "$10", "--reason", "our contract", "--json"
    )
    assert done.status == 0, done.err
    assert set(done.json) == CHANGE | {"from"}
    assert (done.json["before"], done.json["charged"], done.json["from"]) == (None, "tokens", None)
    assert (done.json["after"]["input"], done.json["after"]["output"]) == ("2", "10")
    assert set(done.json["backtest"]) == {"last_month", "last_30_days"}
    assert set(done.json["backtest"]["last_month"]) == SPAN
    run = cli("chat", "-m", "mine/echo", "--json", "hi").json
    assert (run["cost_usd"], run["cost_grade"]) == ("0.000074000", "computed")
    row = cli("audit", "list", "--action", "model.price", "--json").json["rows"][0]
    assert row["detail"]["after"] == {"price": {"input": "2", "output": "10"}}
    assert row["reason"] == "our contract"
    listed = cli("models", "list", "--json").json["models"]
    assert next(m for m in listed if m["ref"] == "mine/echo")["sources"]["price"] == "typed"


def test_what_recent_runs_would_cost_at_the_new_price(cli: Cli, served: Wire) -> None:
    cli("models", "price", "mine/echo", "--in", "2", "--out", "10")
    for _ in range(2):
        assert cli("chat", "-m", "mine/echo", "hi").status == 0
    done = cli(
        "models", "price", "mine/echo", "--in", "4", "--out", "20", "--from", SOON, "--dry-run", "--json"
    )
    told = done.json["backtest"]["last_30_days"]
    assert (told["runs"], told["before_usd"], told["after_usd"]) == (2, "0.000148000", "0.000296000")
    assert (told["recorded_usd"], told["cost_grade"]) == ("0.000148000", "estimated")
    assert done.json["dry_run"] is True
    assert done.json["after"]["scheduled"][0] == {
        "from": SOON, "input": "4", "output": "20", "cache_read": None, "cache_write": None,
    }  # fmt: skip
    said = cli("models", "price", "mine/echo", "--in", "4", "--out", "20", "--dry-run").out
    assert "→" in said
    assert "Nothing was changed" in said
    assert cli("models", "show", "mine/echo", "--json").json["price"] == {
        "input": "2", "output": "10", "cache_read": None, "cache_write": None,
    }  # fmt: skip


def test_a_dated_price_is_taken_back(cli: Cli, served: Wire) -> None:
    cli("models", "price", "mine/echo", "--in", "2", "--out", "10")
    assert cli("models", "price", "mine/echo", "--in", "4", "--out", "20", "--from", SOON).status == 0
    assert f"from {SOON}  4 in, 20 out (typed)" in cli("models", "show", "mine/echo").out
    assert cli("models", "price", "mine/echo", "--clear", "--from", SOON).status == 0
    again = cli("models", "price", "mine/echo", "--clear", "--from", SOON, "--json")
    assert (again.status, again.json["error"]["code"]) == (6, "not_found")
    done = cli("models", "price", "mine/echo", "--clear", "--json")
    assert (done.json["before"]["input"], done.json["after"]) == ("2", None)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (["--in", "2"], 2),
        ([], 2),
        (["--in", "2", "--out", "x"], 2),
        (["--in", "-2", "--out", "1"], 2),
        (["--in", "20000", "--out", "1"], 2),
        (["--in", "0.0000025", "--out", "1"], 2),
        (["--in", "2", "--out", "1", "--from", "soon"], 2),
        (["--in", "2", "--out", "1", "--from", "9999-01-01"], 2),
        (["--in", "2", "--out", "1", "--clear"], 2),
        (["--in", "2", "--out", "1", "--read-only"], 3),
    ],
)
def test_what_is_refused_changes_nothing(cli: Cli, served: Wire, given: list[str], status: int) -> None:
    done = cli("models", "price", "mine/echo", *given)
    assert (done.status, done.err.count("\n")) == (status, 1), done.err
    assert cli("models", "show", "mine/echo", "--json").json["price"] is None


def test_a_price_per_token_is_answered_with_the_one_per_million(cli: Cli, served: Wire) -> None:
    assert "2.5" in cli("models", "price", "mine/echo", "--in", "0.0000025", "--out", "1").err


def test_a_model_nobody_knows_and_a_provider_nobody_has(cli: Cli, served: Wire) -> None:
    assert cli("models", "price", "mine/new-one", "--in", "0", "--out", "0").status == 0
    assert cli("models", "show", "mine/new-one", "--json").json["price"]["input"] == "0"
    assert cli("models", "price", "nobody/x", "--in", "1", "--out", "1").status == 6
    assert cli("models", "price", "nothing", "--in", "1", "--out", "1").status == 2


def test_a_model_is_mapped_and_unmapped(cli: Cli, served: Wire) -> None:
    done = cli("models", "map", "mine/echo", "openai/gpt-4o", "--json")
    assert set(done.json) == CHANGE
    assert (done.json["map_to"], done.json["after"]["input"]) == ("openai/gpt-4o", "2.5")
    assert done.json["model"]["sources"]["price"] == "map:openai/gpt-4o"
    run = cli("chat", "-m", "mine/echo", "--json", "hi").json
    assert Decimal(run["cost_usd"]) == 12 * Decimal("2.5") / 10**6 + 5 * Decimal(10) / 10**6
    wrong = cli("models", "map", "mine/echo", "openai/gpt-4oo", "--json")
    assert (wrong.status, wrong.json["error"]["code"]) == (6, "not_found")
    assert "openai/gpt-4o" in wrong.json["error"]["hint"]
    assert cli("models", "map", "mine/echo", "--clear", "--json").json["after"] is None


def test_own_hardware_flat_rate_and_tokens_again(cli: Cli, served: Wire) -> None:
    cli("models", "price", "mine/echo", "--in", "2", "--out", "10")
    own = cli("models", "map", "mine/echo", "--own", "--gpu-hour", "2.5", "--json").json
    assert (own["charged"], own["gpu_hour_usd"], own["after"]) == ("own", "2.500000000", None)
    run = cli("chat", "-m", "mine/echo", "--json", "hi").json
    assert (run["cost_usd"], run["cost_grade"]) == (None, "own")
    assert cli("models", "map", "mine/echo", "--flat", "--json").json["charged"] == "flat"
    back = cli("models", "map", "mine/echo", "--metered", "--json").json
    assert (back["charged"], back["after"]["input"], back["gpu_hour_usd"]) == ("tokens", "2", None)
    for wrong in (
        [],
        ["x/y", "--own"],
        ["--own", "--flat"],
        ["--flat", "--gpu-hour", "1"],
        ["--own", "--gpu-hour", "-1"],
    ):
        assert cli("models", "map", "mine/echo", *wrong).status == 2


def test_under_a_limit_a_typed_price_makes_the_run_possible(cli: Cli, served: Wire) -> None:
    cli("budget", "set", "--monthly", "5")
    refused = cli("chat", "-m", "mine/echo", "hi", "--json")
    assert (refused.status, refused.json["error"]["code"]) == (3, "unpriced")
    cli("models", "price", "mine/echo", "--in", "2", "--out", "10")
    assert cli("chat", "-m", "mine/echo", "hi", "--json").json["cost_grade"] == "computed"


def test_the_ledger_keeps_the_price_that_was_paid(cli: Cli, served: Wire, home: Path) -> None:
    import sqlite3

    cli("models", "price", "mine/echo", "--in", "2", "--out", "10")
    cli("chat", "-m", "mine/echo", "hi")
    cli("models", "price", "mine/echo", "--in", "9", "--out", "9")
    with sqlite3.connect(next(home.rglob("switchroom.db"))) as db:
        rows = db.execute("SELECT cost_nanos, grade, price_json FROM ledger").fetchall()
    assert rows == [(74_000, "computed", '{"input":"2","output":"10"}')]


@pytest.mark.parametrize("amount", ["NaN", "-1", "Infinity", "1e400000"])
def test_an_amount_that_is_none_is_refused_without_a_bound(cli: Cli, served: Wire, amount: str) -> None:
    done = cli("models", "price", "mine/echo", f"--in={amount}", "--out", "1")
    assert done.status == 2
    assert "--in takes a number from 0 up." in done.err or "is more than 10,000" in done.err
    assert "000,000,000" not in done.err


@pytest.mark.parametrize("amount", ["0.0000000001", "0.0000000009", "1e-400000"])
def test_an_hour_below_a_nano_dollar_is_not_kept_as_nothing(cli: Cli, served: Wire, amount: str) -> None:
    done = cli("models", "map", "mine/echo", "--own", "--gpu-hour", amount)
    assert done.status == 2
    assert "nano-dollar" in done.err
