"""What rests on a provider's models is counted whole, however much there is."""

from __future__ import annotations

from pathlib import Path

from services.container import open_services
from services.dependents import affected, dependents
from services.registry import ProviderDraft


async def test_every_conversation_counts(home: Path) -> None:
    async with open_services() as services:
        await services.registry.add(ProviderDraft(slug="mine", type="openai"), None, test=False)
        row = await services.conversations.create(model_ref="mine/gpt-4o")
        async with services.db.transaction() as tx:
            names = [column[1] for column in await tx.fetchall("PRAGMA table_info(conversations)")]
            rest = ", ".join(name for name in names if name != "id")
            await tx.executemany(
                f"INSERT INTO conversations (id, {rest}) SELECT ?, {rest} FROM conversations WHERE id = ?",
                [(f"copy-{number}", row.id) for number in range(1499)],
            )
        assert "1500 conversations" in await dependents(services, "mine")
        assert (await affected(services, "mine", ["gpt-4o", "gpt-4"])).models == {
            "gpt-4o": ("1500 conversations",)
        }
