"""`usage --source billed|both`, `usage import` and `usage why` as a person or a script types them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cli_harness import Wire

Cli = Callable[..., Any]
LINE = {"key", "runs", "errors", "input", "output", "cost_usd", "measured_share"}


def test_a_bill_comes_in_and_is_compared(cli: Cli, wire: Wire, tmp_path: Path) -> None:
    assert cli("providers", "add", "mine", "--url", wire.url, "--cost", "metered").status == 0
    file = tmp_path / "bill.csv"
    file.write_text("date,model,cost_usd,input_tokens,output_tokens\n2026-11-18,m,0.5,100,10\nTotal,,0.5,,\n")
    dry = cli("usage", "import", str(file), "--provider", "mine", "--dry-run", "--json")
    assert (dry.status, dry.json["dry_run"], dry.json["cost_usd"]) == (0, True, "0.500000000")
    assert cli("usage", "--source", "billed", "--since", "2026-11-01", "--json").json["rows"] == []
    done = cli("usage", "import", str(file), "--reason", "November")  # there is one provider: it is its bill
    assert (
        "Took in 2 lines of bill.csv for mine, 2026-11-18 to 2026-11-18: $0.5000 (read as usd)." in done.out
    )
    assert "line 3: Total is no date" in done.out
    billed = cli("usage", "--source", "billed", "--by", "model", "--since", "2026-11-01", "--json").json
    assert set(billed["rows"][0]) >= LINE
    assert [(row["key"], row["input"], row["cost_usd"]) for row in billed["rows"]] == [
        ("mine/m", 100, "0.500000000")
    ]
    both = cli("usage", "--source", "both", "--since", "2026-11-01", "--json").json
    assert (both["rows"][0]["gap_usd"], both["rows"][0]["gap"]["elsewhere"]) == ("0.500000000", "0.500000000")
    assert cli("usage", "--source", "both", "--since", "2026-11-01", "--csv").out.count("\n") == 2
    text = cli("usage", "--source", "both", "--since", "2026-11-01").out
    assert "+$0.5000 tokens that did not come through here" in text
    assert cli("providers", "add", "other", "--url", wire.url, "--cost", "metered").status == 0
    whose = cli("usage", "import", str(file))
    assert (whose.status, "mine, other" in whose.err) == (2, True)
    forgot = cli("usage", "import", "bill.csv", "--forget", "--json")
    assert (forgot.status, forgot.json["provider"]) == (0, "mine")
    assert cli("usage", "--source", "billed", "--since", "2026-11-01", "--json").json["rows"] == []


def test_what_cannot_be_asked_is_usage(cli: Cli, tmp_path: Path) -> None:
    assert cli("usage", "--source", "billed", "--by", "label").status == 2
    assert cli("usage", "import", str(tmp_path / "absent.csv"), "--provider", "mine").status == 2
    assert cli("usage", "--by", "nonsense").status == 2


def test_why_a_day_cost_what_it_did(cli: Cli) -> None:
    found = cli("usage", "why", "--day", "yesterday", "--json").json
    assert (found["delta_usd"], found["movers"], found["unpriced_runs"]) == ("0.000000000", [], 0)
    assert "same as the day before" in cli("usage", "why").out


def test_usage_alone_is_still_the_report(cli: Cli) -> None:
    assert set(cli("usage", "--json").json) == {"since", "until", "rows", "total", "projection"}
    assert "--source" in cli("usage", "--help").out
