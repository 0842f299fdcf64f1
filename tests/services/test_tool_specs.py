"""Files of tools: what they may say, what answers for them, and what is said of a mistake in one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from adapters.events import ToolCall
from catalog.errors import UsageError
from services.tool_loop import checked_choice, mocked, with_results
from services.tool_sets import found, listed
from services.tool_specs import read_tools, tools_of


def call(arguments: str, name: str = "look") -> ToolCall:
    return ToolCall("c1", name, arguments)


@pytest.mark.parametrize(
    ("mock", "arguments", "text"),
    [
        ("fine", "{}", "fine"),
        ({"celsius": 4, "sky": "łagodne"}, "{}", '{"celsius": 4, "sky": "łagodne"}'),
        ([1, 2], "{}", "[1, 2]"),
        (None, "{}", "null"),
        ([{"when": {"city": "Kraków"}, "then": 4}, {"then": "?"}], '{"city": " KRAKÓW", "x": 1}', "4"),
        ([{"when": {"city": "Kraków"}, "then": 4}, {"then": "?"}], '{"city": "Paris"}', "?"),
        ([{"when": {"n": 1}, "then": "one"}, {"then": "no"}], '{"n": true}', "no"),
        ([{"when": {"n": {"a": [1]}}, "then": "deep"}], '{"n": {"a": [1]}}', "deep"),
    ],
)
def test_a_mock_answers(mock: object, arguments: str, text: str) -> None:
    tools = tools_of([{"name": "look", "mock": mock}])
    answer = mocked(call(arguments), tools)
    assert answer is not None
    assert (answer.text, answer.failed, answer.mocked) == (text, False, True)
    assert tools_of([tool.stored for tool in tools]) == tools, "kept with a conversation it reads back"
    beside = tools_of([{"type": "function", "function": {"name": "look", "mock": mock}}])
    assert beside == tools == tools_of([{"type": "function", "function": {"name": "look"}, "mock": mock}])


def test_what_no_case_fits_and_what_has_no_mock_waits() -> None:
    tools = tools_of([{"name": "look", "mock": [{"when": {"n": 1}, "then": "one"}]}, {"name": "typed"}])
    assert mocked(call('{"n": 2}'), tools) is None
    assert mocked(call("{}", "typed"), tools) is None
    assert mocked(call("{}", "nowhere"), tools) is None, "somebody is there to say it"
    assert mocked(call("{}"), ()) is None
    fixed = with_results(tools, {"typed": "done"})
    assert mocked(call("{}", "typed"), fixed) is not None
    with pytest.raises(UsageError, match="no tool other"):
        with_results(tools, {"other": ""})
    assert [checked_choice(one, tools) for one in (None, " ", "auto", "look")] == [None, None, "auto", "look"]
    for choice, given in (("other", tools), ("auto", ())):
        with pytest.raises(UsageError):
            checked_choice(choice, given)


def test_sets_by_name_and_the_broken_ones_by_file_line_and_reason(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text('[{"name": "look"}]')
    (tmp_path / "broken.json").write_text('[\n  {"name": "a",}\n]')
    (tmp_path / "wrong.json").write_text(
        '[\n  {"name": "a"},\n  {"name": "b",\n   "mock": [{"when": {}}]}\n]'
    )
    (tmp_path / ".good.json.swp.json").write_text("")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.json")
    sets = {one.name: one for one in listed(tmp_path)}
    assert [tool.name for tool in sets["good"].tools] == ["look"]
    assert sets["good"].problem is None
    problems = {name: one.problem or "" for name, one in sets.items() if one.problem}
    assert sorted(problems) == ["broken", "folder", "pipe", "wrong", "zero"]
    assert "broken.json is not JSON: line 2," in problems["broken"]
    assert "wrong.json, line 4: a mock of tool 2 has not exactly one of" in problems["wrong"]
    assert "is a folder" in problems["folder"]
    assert "no ordinary file" in problems["pipe"]
    assert listed(tmp_path / "none") == []

    assert found(tmp_path, " good ") == found(tmp_path, str(tmp_path / "good.json"))
    with pytest.raises(UsageError, match="no set of tools named nothere") as raised:
        found(tmp_path, "nothere")
    assert "good" in (raised.value.hint or "")
    for hostile in ("../x", "~nobody/x", "\x1b[31m", "a\0b", "x" * 5000):
        with pytest.raises(UsageError) as raised:
            found(tmp_path, hostile)
        assert "\x1b" not in raised.value.message


@pytest.mark.parametrize(
    "document",
    [[{"name": "a", "mock": [{"then": 1, "error": 2}]}], [{"name": "a", "mock": [{"then": 1, "wen": {}}]}],
     [{"name": "a", "mock": [{"when": 1, "then": 1}]}], [{"name": "a", "mock": [1, {"then": 1}]}]],
)  # fmt: skip
def test_a_mock_that_is_none_is_refused(tmp_path: Path, document: object) -> None:
    file = tmp_path / "tools.json"
    file.write_text(json.dumps(document))
    with pytest.raises(UsageError, match=r"line 1: .*mock of tool 1"):
        read_tools(file)
    file.write_bytes(b"[" * 100_000)
    with pytest.raises(UsageError, match="not JSON"):
        read_tools(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not JSON"):
        read_tools(file)
    with file.open("wb") as big:
        big.truncate(2 * 1024 * 1024)
    with pytest.raises(UsageError, match="larger than 1 MB"):
        read_tools(file)
