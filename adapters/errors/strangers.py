"""What is said of a server that answers, but not in the dialect it is asked in."""

from __future__ import annotations

from adapters.errors.tree import UnexpectedResponseError


def stranger(slug: str, status: int, expected: str) -> UnexpectedResponseError:
    """The error; `expected` goes on after “answers, but not”: `as an Ollama server`."""
    return UnexpectedResponseError(
        f"{slug} answers, but not {expected}.",
        hint="Check the provider's URL and type.",
        provider=slug,
        status=status,
    )
