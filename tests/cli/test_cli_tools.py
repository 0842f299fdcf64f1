"""Tools on the command line: mocks answer round by round, and what is printed holds all of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_harness import Wire

Cli = Callable[..., Any]
FUNCTION = {"name": "get_weather", "parameters": {"type": "object"}}
MOCKED = {**FUNCTION, "mock": [{"when": {"city": "Paris"}, "then": {"celsius": 9}}]}
BOTH = [MOCKED, {"name": "get_time"}]


@pytest.fixture
def tiny(cli: Cli, wire: Wire, home: Path) -> Wire:
    """The server, connected as `tiny`, and a set of tools named weather."""
    assert cli("providers", "add", "tiny", "--url", wire.url, "--retries", "0").status == 0
    folder = home / "config" / "tools"
    folder.mkdir()
    (folder / "weather.json").write_text(json.dumps(BOTH))
    return wire


def test_the_document_holds_all_rounds(cli: Cli, tiny: Wire) -> None:
    done = cli("chat", "-m", "tiny/loop", "--tools", "weather", "--tool-choice", "required", "--json", "hi")
    assert done.status == 0, done.err
    document = done.json
    assert (document["text"], document["finish_reason"], document["rounds"]) == ("Hello, world", "stop", 2)
    assert document["tool_calls"] == []
    (first,) = document["tool_history"]
    assert (first["round"], first["run_id"] != document["run_id"]) == (1, True)
    assert first["tool_calls"] == [{"id": "call_1", "name": "get_weather", "arguments": {"city": "Paris"}}]
    assert first["results"] == [
        {"id": "call_1", "name": "get_weather", "text": '{"celsius": 9}', "is_error": False, "mocked": True}
    ]
    assert [body["tool_choice"] for body in tiny.seen] == ["required", "auto"]
    roles = [message["role"] for message in tiny.seen[-1]["messages"]]
    assert roles == ["user", "assistant", "tool"]
    assert "mock" not in json.dumps(tiny.seen)
    usage = cli("usage", "--by", "model", "--json").json
    assert usage["total"]["runs"] == 2, "each round is a run of its own"


def test_events_of_all_rounds_and_one_end(cli: Cli, tiny: Wire) -> None:
    done = cli("chat", "-m", "tiny/loop", "--tools", "weather", "--jsonl", "hi")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert [event["round"] for event in events if event["event"] == "started"] == [1, 2]
    kinds = [event["event"] for event in events]
    assert kinds.count("finished") == 1
    assert kinds[-1] == "finished"
    assert kinds.index("tool_result") < kinds.index("started", 1)
    assert events[-1]["tool_history"][0]["results"][0]["text"] == '{"celsius": 9}'


def test_text_shows_the_calls_and_what_answered_them(cli: Cli, tiny: Wire) -> None:
    done = cli("chat", "-m", "tiny/loop", "--tools", "weather", "hi")
    assert (done.status, done.out) == (0, "Hello, world\n")
    assert 'Tool call: get_weather {"city": "Paris"}' in done.err
    assert 'Mocked result of get_weather: {"celsius": 9}' in done.err


def test_the_bound_ends_it_with_words(cli: Cli, tiny: Wire) -> None:
    done = cli("chat", "-m", "tiny/tool", "--tools", "weather", "--tool-rounds", "2", "--json", "hi")
    assert done.status == 0
    assert (done.json["rounds"], len(done.json["tool_history"])) == (3, 2)
    assert done.json["finish_reason"] == "tool_calls"
    assert done.json["stopped"] == "Stopped after 2 rounds of tool calls."
    plain = cli("chat", "-m", "tiny/tool", "--tools", "weather", "--tool-rounds", "1", "hi")
    assert "--tool-rounds allows more" in plain.err
    tiny.seen.clear()
    once = cli("chat", "-m", "tiny/tool", "--tools", "weather", "--tool-rounds", "0", "--json", "hi").json
    assert (once["rounds"], once["tool_history"], len(tiny.seen)) == (1, [], 1)


def test_results_are_given_by_hand(cli: Cli, tiny: Wire, tmp_path: Path) -> None:
    file, result = tmp_path / "tools.json", tmp_path / "result.txt"
    file.write_text(json.dumps([FUNCTION]))
    result.write_text("from a file\n")
    for given, arrived in (("=12 = warm", "12 = warm"), (f"=@{result}", "from a file"), ("=", "")):
        done = cli(
            "chat", "-m", "tiny/loop", "--tools", str(file), "--tool-result", f"get_weather{given}", "hi"
        )
        assert done.status == 0, done.err
        assert tiny.seen[-1]["messages"][-1]["content"] == arrived
    without = cli("chat", "-m", "tiny/loop", "--tools", str(file), "--json", "hi").json
    assert (without["finish_reason"], without["tool_history"]) == ("tool_calls", [])


@pytest.mark.parametrize(
    "wrong",
    [("--tools", "nothere"), ("--tools", "weather", "--tool-choice", "sometimes"), ("--tool-choice", "auto"),
     ("--tools", "weather", "--tool-result", "other=1"), ("--tool-result", "get_weather=1"),
     ("--tools", "weather", "--tool-result", "get_weather=@/nowhere"), ("--tools", "weather", "--tool-rounds", "101"),
     ("--tools", "/dev/zero"), ("--tools", "bad")],
)  # fmt: skip
def test_what_cannot_be_meant_is_2_and_nothing_is_sent(
    cli: Cli, tiny: Wire, home: Path, wrong: tuple[str, ...]
) -> None:
    (home / "config" / "tools" / "bad.json").write_text('[\n{"name": 1}]')
    done = cli("chat", "-m", "tiny/echo", *wrong, "--json", "hi")
    assert done.status == 2
    assert done.json["error"]["code"] == "usage"
    if wrong == ("--tools", "bad"):
        assert "bad.json, line 2: tool 1 has no name" in done.json["error"]["message"]
    assert tiny.seen == []


def test_a_limit_in_a_later_round_gives_what_there_is(cli: Cli, wire: Wire, home: Path) -> None:
    added = cli("providers", "add", "paid", "--url", wire.url, "--cost", "metered", "--no-test")
    assert added.status == 0, added.err
    assert cli("models", "price", "paid/tool", "--in", "2.5", "--out", "10").status == 0
    assert cli("budget", "set", "--daily", "0.0006").status == 0
    file = home / "tools.json"
    file.write_text(json.dumps([MOCKED]))
    asked = ("chat", "-m", "paid/tool", "--max-tokens", "20", "--tools", str(file), "--tool-rounds", "50")
    done = cli(*asked, "--json", "hi")
    assert done.status == 3, done.err
    document = done.json
    assert document["error"]["code"] == "budget"
    assert document["rounds"] == len(document["tool_history"]) == len(wire.seen) >= 1
    assert document["run_id"] == document["tool_history"][-1]["run_id"], "the last run there was"
    plain = cli(*asked, "--jsonl", "hi")
    assert plain.status == 3
    assert [json.loads(line)["event"] for line in plain.out.splitlines()].count("finished") == 1
