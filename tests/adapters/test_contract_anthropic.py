"""The anthropic dialect against the contract body."""

from __future__ import annotations

import pytest
from anthropic_server import AnthropicStage
from contract import (
    AdapterContract,
    CountsPrompts,
    HoldsToSchemas,
    KeepsReasoning,
    ListsLimits,
    OnAWire,
    SeesImages,
)


class TestAnthropic(
    AdapterContract, OnAWire, SeesImages, HoldsToSchemas, KeepsReasoning, CountsPrompts, ListsLimits
):
    @pytest.fixture
    def stage(self) -> AnthropicStage:
        return AnthropicStage()
