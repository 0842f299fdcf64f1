"""Which class speaks a dialect: ours on first use, others' through the entry point group `switchroom.adapters`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

from adapters.base import Adapter, Connection
from catalog.errors import UsageError
from catalog.plaintext import one_line

if TYPE_CHECKING:
    from adapters.fetch import Fetcher
    from adapters.plugins import Plugin, Plugins
    from catalog.options import Option

Maker = Callable[[Connection, "Fetcher"], Adapter]

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


def create(connection: Connection, fetcher: Fetcher) -> Adapter:
    """The adapter for a connection. Raises UsageError for a dialect nobody here speaks, or a broken plug-in."""
    return _maker(connection.dialect)(connection, fetcher)


def preload(dialect: str) -> None:
    """Import what speaks a dialect, so that `create` is quick. May run in a thread."""
    _maker(dialect)


def can(dialect: str, ability: type) -> bool:
    """Whether adapters of a dialect have an ability (adapters.abilities); none is made for it. May run in a thread."""
    try:
        maker = _maker(dialect)
    except UsageError:
        return False
    return isinstance(maker, type) and issubclass(maker, ability)


def dialects() -> tuple[str, ...]:
    """The dialects that can be used, ours first; `fake` is for demos and not named."""
    return (*(name for name in _OURS if name != "fake"), *_plugins().names())


def speaks(dialect: str) -> bool:
    """Whether anything here speaks a dialect: the plug-in that brought it may be gone."""
    return dialect in _OURS or dialect in _plugins().names()


def plugged_in() -> tuple[str, ...]:
    """The dialects that installed plug-ins bring, whether they work or not; none is imported. May run in a thread."""
    return _plugins().names()


def options_of(dialect: str) -> Mapping[str, Option]:
    """The options that a plug-in declares for its dialect; of ours, and where it declares none: empty."""
    return {} if dialect in _OURS else _plugins().options(dialect)


def plugins() -> tuple[Plugin, ...]:
    """Every adapter that another package brings, and what is wrong with it. Imports each: may run in a thread."""
    return _plugins().look()


@lru_cache(maxsize=64)
def _maker(dialect: str) -> Maker:
    target = _OURS.get(dialect)
    if target is not None:
        module, _, name = target.partition(":")
        return cast("Maker", getattr(import_module(module), name))
    maker = _plugins().maker(dialect)
    if maker is None:
        raise UsageError(
            f"No adapter speaks the dialect {one_line(dialect, 40)}.",
            hint=f"There are: {', '.join(dialects())}.",
        )
    return maker


@lru_cache(maxsize=1)
def _plugins() -> Plugins:
    from adapters.plugins import Plugins

    return Plugins(frozenset(_OURS))
