"""Looking for models beyond those a provider lists: the tasks' names as people say them, the answer as the hub gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.errors import UsageError

if TYPE_CHECKING:
    from adapters.abilities import FoundModel
    from services.container import Services

TASKS = {
    "translate": "translation",
    "transcribe": "automatic-speech-recognition",
    "chat": "text-generation",
}
"""Our words → the hub's."""


async def search(
    services: Services, slug: str, words: str, task: str | None = None, limit: int = 20
) -> list[FoundModel]:
    """The most used models that fit. UsageError where the provider has no hub."""
    from adapters.abilities import SearchesModels

    words = words.strip()
    if not words or len(words) > 200:
        raise UsageError("A search needs a few words.", hint="For example: whisper")
    adapter = await services.registry.adapter(slug)
    if not isinstance(adapter, SearchesModels):
        raise UsageError(
            f"{slug} has no hub to search in.",
            hint="Hugging Face providers have; see switchroom models list.",
        )
    return await adapter.search(words, TASKS.get(task, task) if task else None, limit)
