"""Asking real llama.cpp servers what their models can do."""

from __future__ import annotations

import json

import pytest
from real_peers import LlamaFarm, Switchroom

pytestmark = pytest.mark.real


def probed(switchroom: Switchroom, llamas: LlamaFarm, mode: str, *more: str) -> dict[str, dict[str, object]]:
    server = llamas.get(mode)
    added = switchroom("providers", "add", mode, "--url", server.url)
    assert added.status == 0, added.err
    assert switchroom("sync", mode).status == 0
    done = switchroom("models", "probe", f"{mode}/tiny-{mode}", "--json", *more)
    assert done.status == 0, done.err
    return {entry["capability"]: entry for entry in json.loads(done.out)["probes"]}


def test_a_model_that_calls_tools_and_sees_nothing(llamas: LlamaFarm, switchroom: Switchroom) -> None:
    found = probed(switchroom, llamas, "tool")
    assert (found["tools"]["can"], found["tools"]["cost_grade"]) == (True, "own"), found
    assert found["vision"]["can"] is False, found
    assert found["reasoning"]["can"] is False or found["reasoning"]["can"] is None, found
    shown = switchroom("models", "show", "tool/tiny-tool")
    assert "tools" in shown.out
    assert "✓ asked 20" in shown.out
    document = json.loads(switchroom("models", "show", "tool/tiny-tool", "--json").out)
    assert document["sources"]["capabilities.tools"] == "probe"
    assert "tools" in document["capabilities"]


def test_a_model_that_recites_does_not_call_tools(llamas: LlamaFarm, switchroom: Switchroom) -> None:
    found = probed(switchroom, llamas, "script", "--cap", "tools,vision")
    assert (found["tools"]["can"], found["vision"]["can"]) == (False, False), found


def test_a_model_that_thinks(llamas: LlamaFarm, switchroom: Switchroom) -> None:
    found = probed(switchroom, llamas, "think", "--cap", "reasoning")
    assert found["reasoning"]["can"] is True, found
