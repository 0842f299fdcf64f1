"""Which class speaks a dialect: ours on first use, others' through the entry point group `switchroom.adapters`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

from adapters.base import Adapter, Connection
from adapters.fetch import Fetcher
from catalog.errors import UsageError
from catalog.plaintext import one_line

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "switchroom.adapters"
Maker = Callable[[Connection, Fetcher], Adapter]

_OURS = {
    "openai": "adapters.openai:OpenAIAdapter",
    "anthropic": "adapters.anthropic:AnthropicAdapter",
    "azure": "adapters.azure:AzureAdapter",
    "gemini": "adapters.gemini:GeminiAdapter",
    "ollama": "adapters.ollama:OllamaAdapter",
    "openrouter": "adapters.openrouter:OpenRouterAdapter",
    "huggingface": "adapters.huggingface:HuggingFaceAdapter",
    "fake": "adapters.fake:FakeAdapter",
}
_log = logging.getLogger(__name__)


def create(connection: Connection, fetcher: Fetcher) -> Adapter:
    """The adapter for a connection. Raises UsageError for a dialect nobody here speaks, or a broken plug-in."""
    return _maker(connection.dialect)(connection, fetcher)


def preload(dialect: str) -> None:
    """Import what speaks a dialect, so that `create` is quick. May run in a thread."""
    _maker(dialect)


def offers(dialect: str, method: str) -> bool:
    """Whether the class that speaks a dialect has a method. Imports it: may run in a thread."""
    return hasattr(_maker(dialect), method)


def dialects() -> tuple[str, ...]:
    """The dialects that can be used, ours first; `fake` is for demos and not named."""
    return (*(name for name in _OURS if name != "fake"), *sorted(_foreign()))


def can(dialect: str, ability: type) -> bool:
    """Whether adapters of a dialect have an ability (adapters.abilities); none is made for it."""
    try:
        maker = _maker(dialect)
    except UsageError:
        return False
    return isinstance(maker, type) and issubclass(maker, ability)


@lru_cache(maxsize=64)
def _maker(dialect: str) -> Maker:
    target = _OURS.get(dialect)
    if target is not None:
        module, _, name = target.partition(":")
        return cast("Maker", getattr(import_module(module), name))
    plugin = _foreign().get(dialect)
    if plugin is None:
        raise UsageError(
            f"No adapter speaks the dialect {one_line(dialect, 40)}.",
            hint=f"There are: {', '.join(dialects())}.",
        )
    try:
        loaded = plugin.load()
    except Exception as error:  # noqa: BLE001  whatever a foreign module raises must not take the program along
        _log.warning("adapter plug-in %s is broken: %s", one_line(plugin.value, 80), type(error).__name__)
        raise UsageError(
            f"The plug-in {one_line(plugin.value, 80)} for the dialect {one_line(dialect, 40)} cannot be loaded ({type(error).__name__}).",
            hint="Repair or remove it.",
        ) from None
    if not callable(loaded):
        raise UsageError(
            f"The plug-in {one_line(plugin.value, 80)} is no adapter.", hint="Repair or remove it."
        )
    return cast("Maker", loaded)


@lru_cache(maxsize=1)
def _foreign() -> dict[str, EntryPoint]:
    """Plug-ins by dialect; ours cannot be replaced."""
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=GROUP) if point.name not in _OURS}
