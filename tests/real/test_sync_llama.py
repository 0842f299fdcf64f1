"""What a real llama.cpp server says of its model arrives, and another file under the same name is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from real_peers import LlamaFarm, Switchroom, free_port

pytestmark = pytest.mark.real


def test_another_file_under_the_same_name_is_another_model(switchroom: Switchroom, tmp_path: Path) -> None:
    farm = LlamaFarm(tmp_path)
    port = free_port()
    try:
        first = farm.get("think", alias="local", port=port)
        added = switchroom("providers", "add", "mine", "--url", first.url, "--json")
        assert added.status == 0, added.err
        synced = switchroom("sync", "mine", "--json")
        assert synced.status == 0, synced.err
        model = json.loads(switchroom("models", "show", "mine/local", "--json").out)
        assert model["context_window"] == 32768
        assert model["sources"]["context_window"] == "live"
        assert set(model["capabilities"]) >= {"tools", "json"}, "its chat template knows tools"
        farm.stop("think")

        farm.get("tool", alias="local", port=port)
        again = json.loads(switchroom("sync", "mine", "--json").out)["providers"][0]
        assert (again["added"], again["removed"], again["updated"]) == (0, 0, 1)
        [change] = again["diff"]["updated"]
        assert change["field"] == "fingerprint"
        assert change["old"].startswith("tiny-think.gguf · ")
        assert change["new"].startswith("tiny-tool.gguf · ")
        assert "bytes" in change["new"]
        unchanged = json.loads(switchroom("sync", "mine", "--json").out)["providers"][0]
        assert unchanged["updated"] == 0
    finally:
        farm.close()
