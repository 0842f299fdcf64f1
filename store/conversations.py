"""Conversations and their messages, kept in order by position."""

from __future__ import annotations

import builtins
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from catalog.errors import NotFoundError
from store.attachments import AttachmentRow, Attachments
from store.db import Database, Tx
from store.rows import columns, marks, values


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """One conversation."""

    id: str
    title: str
    model_ref: str | None
    """None: no model chosen yet."""
    system: str | None
    params_json: str
    created_at: int
    updated_at: int
    messages: int = 0
    """How many messages it has; ignored on writing."""


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message; the figures are None for messages no run made."""

    id: int | None
    """None: not written yet."""
    conversation_id: str
    position: int
    """0 is the first; -1 on writing: after the last."""
    role: str
    text: str
    thinking: str | None = None
    tool_calls_json: str | None = None
    tool_call_id: str | None = None
    state: str = "complete"
    """`complete`, `streaming`, `interrupted`, `cancelled` or `failed`; a tool's result that says it failed is `failed`."""
    run_id: str | None = None
    model_ref: str | None = None
    at: int = 0
    finish_reason: str | None = None
    """Of a tool's result: `mocked` where nobody typed it."""
    cost_nanos: int | None = None
    grade: str | None = None
    input: int | None = None
    output: int | None = None
    ttft_ms: int | None = None
    duration_ms: int | None = None
    keepsake_json: str | None = None
    """What the vendor wants back with this answer: `dialect`, `model`, `content`."""
    images: tuple[AttachmentRow, ...] = ()
    """What was sent with this prompt; ignored on writing."""


_CONVERSATION = columns(ConversationRow)[:-1]
_MESSAGE = columns(MessageRow)[:-1]
_SELECT = (
    f"SELECT {', '.join(_CONVERSATION)},"  # noqa: S608 - our own column names
    " (SELECT count(*) FROM messages WHERE conversation_id = conversations.id) FROM conversations"
)
_SELECT_MESSAGES = f"SELECT {', '.join(_MESSAGE)} FROM messages"  # noqa: S608
_INSERT_MESSAGE = f"INSERT INTO messages ({', '.join(_MESSAGE)}) VALUES ({marks(len(_MESSAGE))})"  # noqa: S608
_CHANGEABLE = frozenset({"title", "model_ref", "system", "params_json", "updated_at"})
_CHANGEABLE_MESSAGE = frozenset(_MESSAGE) - {"id", "conversation_id", "position"}


class Conversations:
    """Reads and writes conversations."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def list(self, limit: int = 200, search: str | None = None) -> list[ConversationRow]:
        """Conversations, last used first; `search` looks in titles and messages, case of A–Z ignored."""
        where = ""
        params: tuple[str, ...] = ()
        if search:
            like = f"%{search.replace('^', '^^').replace('%', '^%').replace('_', '^_')}%"
            where = (
                " WHERE title LIKE ? ESCAPE '^' OR EXISTS (SELECT 1 FROM messages"
                " WHERE conversation_id = conversations.id AND text LIKE ? ESCAPE '^')"
            )
            params = (like, like)
        rows = await self._db.reader.execute_fetchall(
            f"{_SELECT}{where} ORDER BY updated_at DESC, id LIMIT ?", (*params, limit)
        )
        return [ConversationRow(*row) for row in rows]

    async def by_model(self) -> dict[str, int]:
        """Model reference → how many conversations go on with it."""
        rows = await self._db.reader.execute_fetchall(
            "SELECT model_ref, count(*) FROM conversations WHERE model_ref IS NOT NULL GROUP BY model_ref"
        )
        return dict(tuple(row) for row in rows)

    async def get(self, conversation_id: str) -> ConversationRow | None:
        rows = await self._db.reader.execute_fetchall(f"{_SELECT} WHERE id = ?", (conversation_id,))
        return next((ConversationRow(*row) for row in rows), None)

    async def create(self, tx: Tx, row: ConversationRow) -> ConversationRow:
        await tx.execute(
            f"INSERT INTO conversations ({', '.join(_CONVERSATION)}) VALUES ({marks(len(_CONVERSATION))})",  # noqa: S608
            values(row, _CONVERSATION),
        )
        return replace(row, messages=0)

    async def update(self, tx: Tx, conversation_id: str, **changes: Any) -> None:
        """Changes title, model_ref, system, params_json or updated_at."""
        await self._change(tx, "conversations", conversation_id, changes, _CHANGEABLE)

    async def delete(self, tx: Tx, conversation_id: str) -> None:
        """Removes a conversation with its messages; its ledger rows stay."""
        await tx.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))

    async def messages(self, conversation_id: str) -> builtins.list[MessageRow]:
        """The messages in order."""
        rows = await self._db.reader.execute_fetchall(
            f"{_SELECT_MESSAGES} WHERE conversation_id = ? ORDER BY position", (conversation_id,)
        )
        images = await Attachments(self._db).named(conversation_id)
        found = [MessageRow(*row) for row in rows]
        return [replace(row, images=images.get(row.id or 0, ())) for row in found] if images else found

    async def append(self, tx: Tx, row: MessageRow) -> MessageRow:
        """Adds a message (position -1: after the last); gives it with id and position.

        NotFoundError: the conversation was deleted meanwhile, by another session perhaps.
        """
        position = row.position
        if position < 0:
            found = await tx.fetchone(
                "SELECT coalesce(max(position) + 1, 0) FROM messages WHERE conversation_id = ?",
                (row.conversation_id,),
            )
            position = found[0] if found else 0
        written = replace(row, id=None, position=position)
        try:
            cursor = await tx.execute(_INSERT_MESSAGE, values(written, _MESSAGE))
        except sqlite3.IntegrityError as error:
            raise NotFoundError(
                "That conversation no longer exists.", hint="Choose another, or begin a new one."
            ) from error
        tx.later(
            "UPDATE conversations SET updated_at = max(updated_at, ?) WHERE id = ?",
            (row.at, row.conversation_id),
        )
        return replace(written, id=cursor.lastrowid, images=())

    async def update_message(self, tx: Tx, message_id: int, **changes: Any) -> None:
        """Changes fields of a message (all but id, conversation and position)."""
        await self._change(tx, "messages", message_id, changes, _CHANGEABLE_MESSAGE)

    async def remove(self, tx: Tx, message_ids: Sequence[int]) -> None:
        """Removes single messages; the others keep their positions."""
        await tx.execute(
            f"DELETE FROM messages WHERE id IN ({marks(len(message_ids))})",  # noqa: S608
            tuple(message_ids),
        )

    @staticmethod
    async def _change(
        tx: Tx, table: str, key: str | int, changes: dict[str, Any], allowed: frozenset[str]
    ) -> None:
        if unknown := changes.keys() - allowed:
            raise TypeError(f"no such field to change: {', '.join(sorted(unknown))}")
        if changes:
            sets = ", ".join(f"{name} = ?" for name in changes)
            await tx.execute(f"UPDATE {table} SET {sets} WHERE id = ?", (*changes.values(), key))  # noqa: S608
