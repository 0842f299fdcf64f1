"""llama.cpp's own server is named by what it answers; one that answers nobody without a key is not guessed."""

from __future__ import annotations

import json

import pytest
from real_peers import LlamaFarm, Switchroom

pytestmark = pytest.mark.real


def found(switchroom: Switchroom, url: str) -> list[tuple[str, str]]:
    environment = {"SWITCHROOM_DISCOVERY__LOOPBACK": "true", "OPENAI_BASE_URL": url}
    done = switchroom("providers", "discover", "--json", environment=environment)
    assert done.status == 0, done.err
    findings = [one for one in json.loads(done.out)["findings"] if one["source"] == "loopback"]
    return [(one["type"], one["state"]) for one in findings if one["url"] == url.removesuffix("/v1")]


def test_llama_cpp_is_named(llamas: LlamaFarm, switchroom: Switchroom) -> None:
    assert found(switchroom, llamas.get("script").url) == [("llamacpp", "offered")]


def test_a_closed_server_is_not_guessed(llamas: LlamaFarm, switchroom: Switchroom) -> None:
    assert found(switchroom, llamas.get("think", "sk-real-canary-0123456789").url) == []
