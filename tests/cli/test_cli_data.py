"""Sync, models, estimates, usage, limits, audit, catalog and config: the documents and what they mean."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cli_harness import KEY, Wire, write_vendor

Cli = Callable[..., Any]
MODEL = {
    "ref", "provider", "id", "name", "context_window", "max_output", "price", "capabilities", "enabled", "status", "sources",
}  # fmt: skip
SYNCED = {"slug", "state", "total", "added", "updated", "removed", "duration_ms", "error", "diff", "list"}
BUDGET = {
    "id", "scope", "period", "limit_usd", "spent_usd", "reserved_usd", "remaining_usd", "resets_at", "alert", "changed_by",
    "changed_at", "reason",
}  # fmt: skip
LINE = {"key", "runs", "errors", "input", "output", "cost_usd", "measured_share"}


@pytest.fixture
def paid(cli: Cli, wire: Wire, home: Path) -> Wire:
    """The server under a vendor's name, so that its models have list prices."""
    write_vendor(home)
    done = cli("providers", "add", "paid", "--type", "acme", "--url", wire.url, "--cost", "metered")
    assert done.status == 0, done.err
    return wire


def test_sync_tells_what_changed(cli: Cli, paid: Wire) -> None:
    first = cli("sync", "paid", "--json")
    assert first.status == 0, first.err
    assert set(first.json["providers"][0]) == SYNCED
    assert first.json["providers"][0]["total"] == 3
    paid.models = ["echo", "new"]
    second = cli("sync", "--json").json["providers"][0]
    assert set(second["diff"]) == {"added", "removed", "updated"}
    assert second["diff"]["added"] == ["new"]
    assert sorted(second["diff"]["removed"]) == ["gpt-4o", "slow"]
    assert (second["added"], second["removed"]) == (1, 2)
    plain = cli("sync", "--all")
    assert "paid" in plain.out
    assert "paid" in plain.err


def test_sync_tries_all_and_ends_with_5(cli: Cli, paid: Wire) -> None:
    assert (
        cli(
            "providers", "add", "gone", "--url", "http://127.0.0.1:9/v1", "--no-test", "--retries", "0"
        ).status
        == 0
    )
    done = cli("sync", "--json")
    assert done.status == 5
    assert done.err.startswith("switchroom: ")
    assert len(done.err.splitlines()) == 1
    states = {row["slug"]: row["state"] for row in done.json["providers"]}
    assert states == {"gone": "error", "paid": "ok"}
    assert next(row for row in done.json["providers"] if row["slug"] == "gone")["error"]["code"] == "network"
    listed = {row["slug"]: row["last_sync"] for row in cli("providers", "list", "--json").json["providers"]}
    assert listed["gone"]["state"] == "error"
    assert listed["gone"]["error"]["code"] == "network"
    paid.key = KEY
    assert cli("sync", "paid", "--json").status == 5
    assert "2 of 2 providers could not be synced: gone, paid." in cli("sync", "--json").err


def test_sync_of_nobody_is_6_and_of_nothing_0(cli: Cli) -> None:
    assert cli("sync", "--json").json == {"providers": []}
    assert cli("sync", "nobody", "--json").status == 6
    assert cli("sync", "x", "--all").status == 2


def test_models_list_show_enable_disable(cli: Cli, paid: Wire) -> None:
    assert cli("sync").status == 0
    models = {row["ref"]: row for row in cli("models", "list", "--json").json["models"]}
    assert set(models["paid/gpt-4o"]) >= MODEL
    assert models["paid/gpt-4o"]["price"].items() >= {"input": "2.5", "output": "10"}.items()
    assert set(models["paid/gpt-4o"]["price"]) >= {"input", "output", "cache_read", "cache_write"}
    assert models["paid/gpt-4o"]["sources"]["price"] == "user"
    assert models["paid/echo"]["price"] is None
    assert [
        row["id"]
        for row in cli("models", "list", "--cap", "vision", "--filter", "gpt-4o", "--json").json["models"]
    ] == ["gpt-4o", "gpt-4o-mini"]
    assert cli("models", "list", "--cap", "magic").status == 2
    assert cli("models", "list", "--provider", "nobody").status == 6
    assert cli("models", "disable", "paid/echo", "paid/slow").status == 0
    enabled = cli("models", "list", "--provider", "paid", "--enabled", "--json").json["models"]
    assert "paid/echo" not in [row["ref"] for row in enabled]
    shown = cli("models", "show", "paid/echo", "--json")
    assert set(shown.json) >= MODEL
    assert shown.json["enabled"] is False
    assert cli("models", "enable", "paid/echo", "--json").json["models"][0]["enabled"] is True
    for gone in (("show", "paid/nothing"), ("enable", "paid/nothing"), ("show", "nobody/x")):
        assert cli("models", *gone, "--json").status == 6
    assert cli("models", "show", "noslash").status == 2
    paid.models.remove("echo")
    assert cli("sync").status == 0
    assert cli("models", "show", "paid/echo", "--json").json["status"] == "unavailable"
    assert "unavailable" in cli("models", "list").out
    assert "2.5" in cli("models", "show", "paid/gpt-4o").out


def test_estimate_compares(cli: Cli, paid: Wire) -> None:
    done = cli(
        "estimate", "-m", "paid/gpt-4o", "-m", "paid/gpt-4o-mini", "-m", "paid/echo", "--json", "some words"
    )
    assert done.status == 0, done.err
    first, second, unknown = done.json["estimates"]
    assert set(first) >= {"model", "input_tokens", "exact", "output_tokens", "cost_usd", "delta_usd"}
    assert set(first["output_tokens"]) == {"likely", "max"}
    assert first["delta_usd"] is None
    assert Decimal(first["cost_usd"]["high"]) >= Decimal(first["cost_usd"]["low"]) > 0
    difference = Decimal(second["cost_usd"]["low"]) - Decimal(first["cost_usd"]["low"])
    assert Decimal(second["delta_usd"]["low"]) == difference < 0
    assert (unknown["cost_usd"], unknown["delta_usd"]) == (None, None)
    assert "unknown" in cli("estimate", "-m", "paid/echo", stdin="from a pipe").out
    assert cli("estimate", "-m", "paid/echo", stdin="").status == 2
    assert cli("estimate", "-m", "nobody/x", "hi").status == 6
    assert paid.seen == []


def test_usage_by_everything(cli: Cli, paid: Wire) -> None:
    assert cli("usage", "--json").json["rows"] == []
    for model in ("gpt-4o", "echo", "nowhere"):
        cli("chat", "-m", f"paid/{model}", "hi")
    report = cli("usage", "--json").json
    assert set(report) == {"since", "until", "rows", "total", "projection"}
    assert set(report["rows"][0]) == LINE
    assert set(report["projection"]) == {"month_usd", "low", "high"}
    assert report["total"]["runs"] == 3
    assert report["total"]["errors"] == 1
    assert report["total"]["cost_usd"] == "0.000080000"
    assert {row["key"] for row in cli("usage", "--by", "model", "--json").json["rows"]} >= {
        "paid/gpt-4o",
        "paid/echo",
    }
    for by in ("provider", "day", "hour", "grade", "outcome", "caller", "label"):
        rows = cli("usage", "--by", by, "--since", "24h", "--json").json["rows"]
        assert sum(row["runs"] for row in rows) == 3, by
    unknown = next(
        row for row in cli("usage", "--by", "grade", "--json").json["rows"] if row["key"] == "unknown"
    )
    assert unknown["cost_usd"] is None
    lines = cli("usage", "--by", "model", "--csv").out.splitlines()
    assert lines[0].split(",") == ["key", "runs", "errors", "input", "output", "cost_usd", "measured_share"]
    assert len(lines) == 1 + len(cli("usage", "--by", "model", "--json").json["rows"])
    assert "$0.000080" in cli("usage").out
    assert cli("usage", "--month", "2020-01", "--json").json["total"]["runs"] == 0
    assert cli("usage", "--from", "2020-01-01", "--to", "2020-02-01", "--json").json["since"].endswith("Z")


def test_usage_by_label_and_by_caller_is_of_each_label_and_counts_a_run_once_in_the_total(
    cli: Cli, paid: Wire
) -> None:
    cli("chat", "-m", "paid/gpt-4o", "--label", "team=red", "--label", "job=nightly", "hi")
    cli("chat", "-m", "paid/gpt-4o", "hi")
    report = cli("usage", "--by", "label", "--json").json
    assert {row["key"]: row["runs"] for row in report["rows"]} == {"team=red": 1, "job=nightly": 1, "": 1}
    assert {row["cost_usd"] for row in report["rows"]} == {"0.000080000"}
    assert (report["total"]["runs"], report["total"]["cost_usd"]) == (2, "0.000160000")
    shown = cli("usage", "--by", "label").out
    assert "team=red" in shown
    assert "no label" in shown
    [caller] = cli("usage", "--by", "caller", "--json").json["rows"]
    assert (caller["key"], caller["runs"], caller["cost_usd"]) == ("cli", 2, "0.000160000")


def test_a_day_or_month_given_as_the_end_counts_whole(cli: Cli, paid: Wire) -> None:
    from services.clock import iso, parse_when

    del paid
    for end, until in (
        ("2020-01-09", "2020-01-10"),
        ("2020-01", "2020-02-01"),
        ("2020-01-09T12:00Z", "2020-01-09T12:00Z"),
    ):
        report = cli("usage", "--from", "2020-01-01", "--to", end, "--json").json
        assert report["until"] == iso(parse_when(until))
    assert cli("chat", "-m", "paid/gpt-4o", "hi").status == 0
    assert cli("usage", "--from", "today", "--to", "today", "--json").json["total"]["runs"] == 1


@pytest.mark.parametrize("wrong", [["--since", "soon"], ["--month", "May"], ["--to", "2026-01-01"], ["--from", "2026-02-01", "--to", "2026-01-01"], ["--since", "1d", "--month", "2026-01"], ["--csv", "--json"], ["--by", "mood"]])  # fmt: skip
def test_a_time_that_is_none_is_2(cli: Cli, wrong: list[str]) -> None:
    assert cli("usage", *wrong).status == 2


def test_budgets(cli: Cli, paid: Wire) -> None:
    done = cli(
        "budget",
        "set",
        "--daily",
        "5",
        "--monthly",
        "50.25",
        "--alert",
        "0.9",
        "--reason",
        "the team",
        "--json",
    )
    assert done.status == 0, done.err
    assert [row["period"] for row in done.json["budgets"]] == ["daily", "monthly"]
    assert cli("budget", "set", "--provider", "paid", "--daily", "1").status == 0
    rows = cli("budget", "list", "--json").json["budgets"]
    assert len(rows) == 3
    assert set(rows[0]) >= BUDGET
    everything = next(row for row in rows if (row["scope"], row["period"]) == ("global", "monthly"))
    assert everything["limit_usd"] == "50.250000000"
    assert everything["remaining_usd"] == "50.250000000"
    assert (everything["alert"], everything["reason"]) == (0.9, "the team")
    assert everything["resets_at"].endswith("Z")
    assert "cli[" in everything["changed_by"]
    assert cli("budget", "set", "--daily", "6").status == 0
    again = cli("budget", "list", "--json").json["budgets"]
    assert len(again) == 3
    assert "provider:paid" in cli("budget", "list").out
    assert cli("budget", "remove", str(rows[0]["id"]), "--json").json["removed"] == rows[0]["id"]
    assert len(cli("budget", "list", "--json").json["budgets"]) == 2
    assert cli("budget", "remove", "4711", "--json").status == 6
    assert cli("budget", "set", "--provider", "nobody", "--daily", "1").status == 6


@pytest.mark.parametrize("wrong", [[], ["--daily", "much"], ["--daily", "-1"], ["--daily", "NaN"], ["--daily", "1", "--alert", "2"], ["--daily", "1", "--until", "2020-01-01"]])  # fmt: skip
def test_a_limit_that_is_none_is_2(cli: Cli, wrong: list[str]) -> None:
    assert cli("budget", "set", *wrong, "--json").status == 2


def test_audit_verify_and_export(cli: Cli, home: Path, tmp_path: Path) -> None:
    assert cli("offline", "on").status == 0
    assert cli("offline", "off").status == 0
    whole = cli("audit", "verify", "--json")
    assert whole.status == 0
    assert whole.json == {"rows": 2, "intact": True, "first_broken": None}
    file = tmp_path / "audit.jsonl"
    assert cli("audit", "export", str(file), "--json").json["rows"] == 2
    assert cli("audit", "verify", str(file), "--json").json["intact"] is True
    lines = file.read_text().splitlines()
    changed = json.loads(lines[0]) | {"subject": "somebody else"}
    file.write_text("\n".join([json.dumps(changed), *lines[1:]]) + "\n")
    broken = cli("audit", "verify", str(file), "--json")
    assert broken.status == 7
    assert (broken.json["intact"], broken.json["first_broken"]) == (False, 1)
    assert cli("audit", "verify", str(tmp_path / "none")).status == 2
    assert len(cli("audit", "list", "--limit", "1", "--json").json["rows"]) == 1
    assert "offline.on" in cli("audit", "list").out
    assert cli("audit", "list", "--since", "whenever").status == 2


def test_a_row_changed_in_the_database_is_found(cli: Cli, home: Path) -> None:
    import sqlite3

    assert cli("offline", "on").status == 0
    with sqlite3.connect(home / "data" / "switchroom.db") as database:
        triggers = database.execute(
            "SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='audit'"
        ).fetchall()
        for (name,) in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE audit SET subject = 'x'")
    done = cli("audit", "verify", "--json")
    assert done.err.startswith("switchroom: The audit log was changed: entry ")
    assert done.status == 7
    assert done.json["intact"] is False


def test_catalog(cli: Cli, home: Path) -> None:
    rows = cli("catalog", "list", "--json").json["providers"]
    assert set(rows[0]) == {"id", "name", "type", "endpoint", "models"}
    assert {row["id"] for row in rows} >= {"openai", "anthropic", "ollama"}
    shown = cli("catalog", "show", "openai", "--json").json
    assert set(shown["models"][0]) >= MODEL
    assert set(cli("catalog", "path", "--json").json) == {"bundled", "user_catalog", "refreshed"}
    unknown = cli("catalog", "show", "opena")
    assert unknown.status == 6
    assert "openai" in unknown.err
    own = home / "config" / "user-catalog"
    own.mkdir(parents=True)
    (own / "bad.json").write_text("{")
    done = cli("catalog", "list", "--json")
    assert done.status == 0
    assert "bad.json" in done.err


def test_config(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("config", "path", "--json").json["database"] == str(home / "data" / "switchroom.db")
    monkeypatch.setenv("SWITCHROOM_NETWORK__PROXY", "http://user:pw-canary@127.0.0.1:3128")
    done = cli("config", "show", "--json")
    assert done.status == 0
    proxy = next(view for view in done.json["settings"] if view["name"] == "network.proxy")
    assert set(proxy) >= {"name", "value", "default", "source"}
    assert "canary" not in done.out + cli("config", "show").out


def test_tables_line_up_with_wide_characters() -> None:
    from cli.output import table, width

    text = table(("NAME", "N"), [("日本語", "1"), ("e\u0301te\u0301", "22"), ("plain", "333")], right=("N",))
    assert len({width(line) for line in text.splitlines()}) == 1


@pytest.mark.parametrize(
    ("amount", "words"),
    [("0", "$0.00"), ("12.346", "$12.35"), ("1234.5", "$1,234.50"), ("0.05", "$0.0500"), ("0.00008", "$0.000080"), ("0.0000001", "<$0.000001")],
)  # fmt: skip
def test_money_is_never_rounded_to_nothing(amount: str, words: str) -> None:
    from cli.output import dollars

    assert dollars(Decimal(amount)) == words
    assert dollars(None) == "unknown"
    assert dollars(None, "own") == "no price per token"
