"""`models recommend` as a person and as a program reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_harness import Wire

Cli = Callable[..., Any]


@pytest.fixture
def priced(cli: Cli, wire: Wire, home: Path) -> None:
    """Three models of a loopback server, two with a price in a file of the user's."""
    assert (
        cli("providers", "add", "tiny", "--url", wire.url, "--cost", "metered", "--retries", "0").status == 0
    )
    assert cli("sync", "tiny").status == 0
    assert cli("models", "price", "tiny/echo", "--in", "1", "--out", "2").status == 0
    assert cli("models", "price", "tiny/slow", "--in", "100", "--out", "200").status == 0


@pytest.mark.usefixtures("priced")
def test_every_model_has_a_place_and_a_reason(cli: Cli) -> None:
    done = cli("models", "recommend", "--task", "code", "--budget", "0.02", "--json")
    assert done.status == 0
    document = done.json
    assert (document["task"], document["budget_usd"], document["needs"]) == ("code", "0.020000000", [])
    assert document["typical_run"] == {"input": 12_000, "output": 1_500, "yours": False}
    found = {row["model"]: row for row in document["models"]}
    assert set(found) == {"tiny/echo", "tiny/slow", "tiny/gpt-4o"}
    assert (found["tiny/echo"]["rank"], found["tiny/echo"]["standing"]) == (1, "fits")
    assert (found["tiny/echo"]["cost_usd"], found["tiny/echo"]["cost_grade"]) == ("0.015000000", "estimated")
    assert (found["tiny/slow"]["rank"], found["tiny/slow"]["standing"]) == (None, "over_budget")
    assert found["tiny/slow"]["reasons"][0] == {
        "about": "price",
        "good": False,
        "text": "75.0 times the budget",
    }
    assert (found["tiny/gpt-4o"]["standing"], found["tiny/gpt-4o"]["cost_usd"]) == ("unpriced", None)
    assert found["tiny/gpt-4o"]["cost_grade"] == "unknown"


@pytest.mark.usefixtures("priced")
def test_the_table_names_what_is_left_out(cli: Cli) -> None:
    done = cli("models", "recommend", "--task", "code", "--budget", "0.02")
    assert done.status == 0
    head, table, others = done.out.split("\n\n")
    assert head == (
        "code, at most $0.02 a run: a typical run (some files and a change to them) is 12,000 tokens in, 1,500 out."
    )
    assert table.splitlines()[1].split()[:3] == ["1", "tiny/echo", "$0.0150"]
    assert "price unknown (1):\n  tiny/gpt-4o: price unknown" in others
    assert "over budget (1):\n  tiny/slow: 75.0 times the budget" in others


@pytest.mark.usefixtures("priced")
def test_what_nobody_states_is_guessed_or_not_recommended(cli: Cli) -> None:
    done = cli("models", "recommend", "--task", "vision", "--json")
    found = {row["model"]: row for row in done.json["models"]}
    assert done.json["needs"] == ["vision"]
    assert found["tiny/echo"]["standing"] == "unsure"
    assert "vision: guessed from the name" in {r["text"] for r in found["tiny/gpt-4o"]["reasons"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--budget", "lots"), "no amount in USD"),
        (("--needs", "wings"), "no capability wings"),
        (("--task", "cooking"), "cooking"),
    ],
)
def test_what_cannot_be_meant_is_2(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    done = cli("models", "recommend", *arguments, "--json")
    assert done.status == 2
    assert words in json.dumps(done.json["error"])


def test_without_models_the_next_step_is_named(cli: Cli) -> None:
    done = cli("models", "recommend")
    assert (done.status, done.out.strip()) == (0, "No models. Fetch them: switchroom sync")


@pytest.mark.parametrize(("columns", "below"), [(60, True), (200, False)])
def test_in_a_narrow_terminal_the_reason_stands_below_its_model(
    monkeypatch: pytest.MonkeyPatch, columns: int, below: bool
) -> None:
    import os
    import shutil
    import sys
    from decimal import Decimal

    from catalog.recommend import Candidate, rank
    from catalog.usage import Usage
    from cli.commands.models_recommend import _ranked

    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((columns, 24)))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    verdicts = rank(
        [Candidate("a/" + "long-" * 6, (), 128_000, Decimal("0.01"), own=False)],
        Usage(input=1, output=1),
        None,
    )
    lines = _ranked(verdicts).split("\n")
    assert max(map(len, lines)) <= columns
    assert ("WHY" in lines[0]) is not below
    assert lines[-1].startswith("    fits its context of 128,000 tokens") is below
