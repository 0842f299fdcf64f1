"""The images that go with a message, kept with it and removed with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from store.db import Database, Tx


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """What is known of an image without reading it."""

    media_type: str
    name: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image as it is kept."""

    media_type: str
    name: str
    data: bytes


class Attachments:
    """Reads and writes the images of messages."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, tx: Tx, message_id: int, images: Sequence[StoredImage]) -> None:
        """The images of a message, in their order."""
        await tx.executemany(
            "INSERT INTO attachments (message_id, position, media_type, name, data) VALUES (?, ?, ?, ?, ?)",
            [
                (message_id, position, image.media_type, image.name, image.data)
                for position, image in enumerate(images)
            ],
        )

    async def named(self, conversation_id: str) -> dict[int, tuple[AttachmentRow, ...]]:
        """Message → its images, their bytes not read."""
        rows = await self._db.reader.execute_fetchall(
            "SELECT message_id, media_type, name, length(data) FROM attachments WHERE message_id IN"
            " (SELECT id FROM messages WHERE conversation_id = ?) ORDER BY message_id, position",
            (conversation_id,),
        )
        found: dict[int, tuple[AttachmentRow, ...]] = {}
        for message_id, *image in rows:
            found[message_id] = (*found.get(message_id, ()), AttachmentRow(*image))
        return found

    async def read(self, message_ids: Sequence[int]) -> dict[int, tuple[StoredImage, ...]]:
        """Message → its images."""
        found: dict[int, tuple[StoredImage, ...]] = {}
        for message_id in message_ids:
            rows = await self._db.reader.execute_fetchall(
                "SELECT media_type, name, data FROM attachments WHERE message_id = ? ORDER BY position",
                (message_id,),
            )
            found[message_id] = tuple(StoredImage(*row) for row in rows)
        return found
