"""`models price` with a name and limits: typed in, shown with their source, used by a run, taken back, exported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
REF = "azure/chat-prod"


@pytest.fixture
def azure(cli: Cli) -> Cli:
    assert cli("providers", "add", "azure", "--url", "https://llm.example.com/v1", "--no-test").status == 0
    return cli


def facts(cli: Cli) -> tuple[object, object, object]:
    shown = cli("models", "show", REF, "--json").json
    return shown["name"], shown["context_window"], shown["max_output"]


def test_a_whole_model_is_typed_in_at_once_and_its_limits_bound_a_run(azure: Cli) -> None:
    done = azure(
        "models", "price", REF, "--in", "2.50", "--out", "10",
        "--context", "8000", "--max-output", "100", "--name", "Our chat", "--json",
    )  # fmt: skip
    assert done.status == 0, done.err
    model = done.json["model"]
    assert (model["name"], model["context_window"], model["max_output"]) == ("Our chat", 8000, 100)
    assert {model["sources"][name] for name in ("name", "context_window", "max_output", "price")} == {"typed"}
    [estimate] = azure("estimate", "-m", REF, "--json", "hello").json["estimates"]
    assert estimate["output_tokens"]["max"] == 100
    detail = azure("audit", "list", "--action", "model.price", "--json").json["rows"][0]["detail"]
    assert detail["before"] == {}
    assert detail["after"] == {
        "price": {"input": "2.50", "output": "10"},
        "name": "Our chat",
        "context_window": 8000,
        "max_output": 100,
    }


def test_limits_alone_leave_the_price_and_each_is_taken_back_alone(azure: Cli) -> None:
    azure("models", "price", REF, "--in", "1", "--out", "2")
    done = azure("models", "price", REF, "--context", "8000", "--name", "Our chat")
    assert done.out.strip() == f"{REF}: called Our chat, context 8,000."
    shown = azure("models", "show", REF, "--json").json
    assert (shown["price"]["input"], shown["context_window"]) == ("1", 8000)
    assert "context as listed" in azure("models", "price", REF, "--context", "0", "--dry-run").out
    assert facts(azure)[1] == 8000, "a dry run changes nothing"
    azure("models", "price", REF, "--context", "0")
    assert facts(azure)[:2] == ("Our chat", None)
    assert azure("models", "price", REF, "--clear").status == 0
    assert (facts(azure)[1], azure("models", "show", REF, "--json").json["price"]) == (None, None)
    assert azure("models", "price", REF, "--clear").status == 6


@pytest.mark.parametrize(
    "wrong",
    [
        ["--context", "-1"],
        ["--context", "2000000000"],
        ["--context", "100", "--max-output", "101"],
        ["--name", "two\nlines"],
        ["--name", "x" * 121],
        ["--name", "x", "--clear"],
        ["--name", "x", "--from", "2030-01-01"],
        ["--name", "x", "--in", "1"],
    ],
)
def test_what_cannot_be_meant_is_refused_and_adds_no_model(azure: Cli, wrong: list[str]) -> None:
    assert azure("models", "price", REF, *wrong).status == 2
    assert azure("models", "list", "--json").json["models"] == []


def test_an_export_carries_them_to_another_store(
    azure: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    azure("models", "price", REF, "--context", "8000", "--max-output", "100", "--name", "Our chat")
    file = tmp_path / "house.toml"
    assert azure("config", "export", str(file)).status == 0
    monkeypatch.setenv("SWITCHROOM_HOME", str(tmp_path / "other"))
    done = azure("config", "import", str(file))
    assert done.status == 0, done.err
    assert facts(azure) == ("Our chat", 8000, 100)
    assert json.loads(json.dumps(azure("config", "import", str(file), "--dry-run", "--json").json))
