"""The scripted chat."""

from __future__ import annotations

from pathlib import Path

import pytest
from chat_stage import Stage


@pytest.fixture
def stage(home: Path) -> Stage:
    return Stage(home)
