"""A mocked tool is called, answered and told about by the command line, in each dialect, against servers of other people."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

import pytest
from aimock_peer import KEY, Aimock
from real_peers import LlamaFarm, Switchroom

pytestmark = pytest.mark.real
TOOLS = [
    {
        "name": "get_weather",
        "description": "The weather of a city now.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        "mock": [{"when": {"city": "Kraków"}, "then": {"celsius": 1}}, {"then": "sleet"}],
    }
]
DIALECTS = {
    "openai": ("openai", "/v1", "gpt-4o"),
    "anthropic": ("anthropic", "", "claude-sonnet-5-5"),
    "gemini": ("gemini", "", "gemini-2.5-flash"),
    "ollama": ("ollama", "", "llama3.2"),
}
"""Dialect → type of the provider, path of its API at aimock, a model."""


@pytest.fixture
def tools(tmp_path: Path) -> str:
    file = tmp_path / "weather.json"
    file.write_text(json.dumps(TOOLS))
    return str(file)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_aimock_calls_a_tool_and_answers_with_its_result(
    aimock: Aimock, switchroom: Switchroom, tools: str, dialect: str
) -> None:
    kind, path, model = DIALECTS[dialect]
    key = {"MOCK_KEY": KEY}
    added = switchroom(
        "providers", "add", "mock", "--type", kind, "--url", aimock.url + path, "--key-env", "MOCK_KEY", "--no-test",
        environment=key,
    )  # fmt: skip
    assert added.status == 0, added.err
    asked = ("chat", "-m", f"mock/{model}", "--tools", tools, "weather?")
    done = switchroom(*asked, "--json", environment=key)
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert (told["text"], told["finish_reason"], told["tool_calls"]) == ("Sleet, 1 °C.", "stop", [])
    assert told["rounds"] == 2
    [first] = told["tool_history"]
    [call], [result] = first["tool_calls"], first["results"]
    assert (call["name"], call["arguments"]) == ("get_weather", {"city": "Kraków"})
    assert (result["id"], result["text"], result["mocked"]) == (call["id"], '{"celsius": 1}', True)
    assert first["run_id"] != told["run_id"]
    lines = switchroom(*asked, "--jsonl", "--no-stream", environment=key)
    events = [json.loads(line) for line in lines.out.splitlines()]
    kinds = [kind for kind, _ in groupby(event["event"] for event in events) if kind != "usage"]
    assert kinds == ["started", "tool_call", "tool_result", "started", "text", "finished"]
    assert events[-1]["text"] == "Sleet, 1 °C."
    assert json.loads(switchroom("usage", "--json").out)["total"]["runs"] == 4


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_llama_cpp_calls_until_the_bound(
    llamas: LlamaFarm, switchroom: Switchroom, tools: str, kind: str
) -> None:
    server = llamas.get("tool")
    url = server.url if kind == "openai" else server.url.removesuffix("/v1")
    added = switchroom("providers", "add", "tool", "--type", kind, "--url", url)
    assert added.status == 0, added.err
    done = switchroom(
        "chat", "-m", f"tool/{server.model}", "--tools", tools, "--tool-rounds", "2", "--json", "weather?"
    )
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert (told["rounds"], told["stopped"]) == (3, "Stopped after 2 rounds of tool calls.")
    assert [call["arguments"] for call in told["tool_calls"]] == [{"city": "Paris"}]
    assert [one["results"][0]["text"] for one in told["tool_history"]] == ["sleet", "sleet"]
