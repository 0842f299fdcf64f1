"""Conversations as the faces handle them: thin over the store, and told on the feed."""

from __future__ import annotations

import builtins
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from catalog.errors import NotFoundError
from services.clock import now_ms
from services.feed import ConversationsChanged

if TYPE_CHECKING:
    from services.attachments import Attached
    from services.container import Services
    from store.conversations import ConversationRow, MessageRow

TITLE = 60
"""Characters of a title made from the first prompt."""


class ConversationService:
    """Reads and changes conversations. Content is never audited; deleting a conversation is."""

    def __init__(self, services: Services) -> None:
        from store.conversations import Conversations

        self._services = services
        self._store = Conversations(services.db)

    async def list(self, limit: int = 200, search: str | None = None) -> builtins.list[ConversationRow]:
        """The newest first; `search` is looked for in titles and messages."""
        return await self._store.list(limit, search)

    async def open(self, conversation_id: str) -> ConversationRow:
        """One conversation, or NotFoundError."""
        row = await self._store.get(conversation_id)
        if row is None:
            raise NotFoundError(
                "That conversation no longer exists.", hint="Choose another, or begin a new one."
            )
        return row

    async def messages(self, conversation_id: str) -> builtins.list[MessageRow]:
        """Its messages in order."""
        return await self._store.messages(conversation_id)

    async def create(
        self,
        *,
        title: str = "",
        model_ref: str | None = None,
        system: str | None = None,
        params: Mapping[str, object] | None = None,
    ) -> ConversationRow:
        """A new, empty conversation."""
        from store.conversations import ConversationRow

        now = now_ms()
        row = ConversationRow(
            uuid.uuid4().hex, title, model_ref, system, json.dumps(dict(params or {})), now, now
        )
        async with self._services.db.transaction() as tx:
            row = await self._store.create(tx, row)
        self._told(row.id)
        return row

    async def update(self, conversation_id: str, **changes: Any) -> None:
        """Change title, model_ref, system or params_json."""
        async with self._services.db.transaction() as tx:
            await self._store.update(tx, conversation_id, updated_at=now_ms(), **changes)
        self._told(conversation_id)

    async def rename(self, conversation_id: str, title: str) -> None:
        """A new title."""
        await self.update(conversation_id, title=titled(title))

    async def delete(self, conversation_id: str) -> None:
        """Delete a conversation with its messages; what it cost stays in the ledger."""
        await self.open(conversation_id)
        async with self._services.db.transaction(durable=True) as tx:
            await self._store.delete(tx, conversation_id)
            await self._services.audit.record(tx, "conversation.delete", conversation_id)
        self._services.chat.stop(conversation_id)  # nobody will read the rest, and it costs
        self._told(conversation_id)

    async def append(self, row: MessageRow) -> MessageRow:
        """Add a message; gives it with its id and position. The first prompt names an untitled conversation."""
        return (await self.append_all([row]))[0]

    async def append_all(
        self, rows: Sequence[MessageRow], images: Sequence[Attached] = ()
    ) -> builtins.list[MessageRow]:
        """Add messages in their order, `images` with the first: all of them or, where the store refuses one, none."""
        from store.attachments import AttachmentRow, Attachments, StoredImage

        written: builtins.list[MessageRow] = []
        async with self._services.db.transaction() as tx:
            for row in rows:
                written.append(await self._store.append(tx, row))
                if images and len(written) == 1 and (first := written[0].id) is not None:
                    kept = [StoredImage(image.media_type, image.name, image.data) for image in images]
                    await Attachments(self._services.db).add(tx, first, kept)
                    named = tuple(AttachmentRow(i.media_type, i.name, len(i.data)) for i in kept)
                    written[0] = replace(written[0], images=named)
                if row.role == "user" and written[-1].position == 0:
                    conversation = await self._store.get(row.conversation_id)
                    if conversation is not None and not conversation.title:
                        await self._store.update(tx, row.conversation_id, title=titled(row.text))
        for conversation_id in {row.conversation_id for row in rows}:
            self._told(conversation_id)
        return written

    async def images(self, rows: Sequence[MessageRow]) -> dict[int, tuple[Attached, ...]]:
        """Message → the images that went with it, read from the store; only of messages that have any."""
        from services.attachments import Attached
        from store.attachments import Attachments

        wanted = [row.id for row in rows if row.images and row.id is not None]
        found = await Attachments(self._services.db).read(wanted)
        return {
            key: tuple(Attached(image.name, image.media_type, image.data) for image in images)
            for key, images in found.items()
        }

    async def update_message(self, conversation_id: str, message_id: int, **changes: Any) -> None:
        """Change fields of a message: an answer as it grows and when it is over."""
        async with self._services.db.transaction() as tx:
            await self._store.update_message(tx, message_id, **changes)
        self._told(conversation_id)

    async def remove(self, conversation_id: str, message_ids: Sequence[int]) -> None:
        """Remove single messages: those an answer has taken the place of, or whose run was refused."""
        if not message_ids:
            return
        async with self._services.db.transaction() as tx:
            await self._store.remove(tx, message_ids)
        self._told(conversation_id)

    def _told(self, conversation_id: str) -> None:
        self._services.feed.publish(ConversationsChanged(conversation_id))


def titled(text: str) -> str:
    """A title on one line out of a prompt or what the user typed."""
    from catalog.plaintext import one_line

    return one_line(text, TITLE) or "Untitled"
