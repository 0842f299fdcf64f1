"""The store every walk begins with: the demo's providers and history, made once and copied, without live traffic."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from store.conversations import Conversations
    from store.db import Tx


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's home as it is at its start."""
    from services.demo import seed_demo
    from services.paths import under

    folder = tmp_path_factory.mktemp("seeded") / "home"
    paths = under(folder)
    asyncio.run(seed_demo(paths))
    asyncio.run(_add_rows(folder / "data" / "switchroom.db"))
    return folder


async def _add_rows(store: Path) -> None:
    """Sixty quiet providers, the first with sixty models: tables that fill more than a screen."""
    from store.conversations import Conversations
    from store.db import Database
    from store.models import ModelRow, Models
    from store.providers import ProviderRow, Providers

    db = await Database.open(store)
    async with db.transaction() as tx:
        for number in range(60):
            slug = f"row-{number:02}"
            row = ProviderRow(
                slug, slug, "fake", f"https://{slug}.invalid", 1, 1, options={"script": "plain"}, state="ok", auto_sync="off"
            )  # fmt: skip
            await Providers(db).insert(tx, row)
        models = [ModelRow("row-00", f"many-{n:02}", chat=True, first_seen=1, last_seen=1) for n in range(60)]
        await Models(db).replace_live(tx, "row-00", models, at=1)
        for title, answer in UNFINISHED.items():
            await _add_talk(Conversations(db), tx, title, answer)
    await db.aclose()


UNFINISHED = {
    "Waits for a tool": {
        "text": "",
        "tool_calls_json": '[{"id": "call-1", "name": "get_weather", "arguments": "{}"}]',
        "finish_reason": "tool_calls",
    },
    "Was cut off": {"text": "A control room is where many", "state": "interrupted"},
}
"""Title of a conversation → the answer it ends with."""


async def _add_talk(store: Conversations, tx: Tx, title: str, answer: dict[str, str]) -> None:
    from store.conversations import ConversationRow, MessageRow

    ref = "groq/llama-4.1-70b-versatile"
    await store.create(tx, ConversationRow(title, title, ref, None, "{}", 1, 1))
    await store.append(tx, MessageRow(None, title, 0, "user", "What is the weather?", at=1))
    await store.append(tx, MessageRow(None, title, 1, "assistant", model_ref=ref, at=1, **answer))


@pytest.fixture
def copied_home(seeded: Path, tmp_path: Path) -> Callable[[], Path]:
    """Makes a home of one's own with the demo's content."""

    def make(name: str = "home") -> Path:
        return Path(shutil.copytree(seeded, tmp_path / name))

    return make
