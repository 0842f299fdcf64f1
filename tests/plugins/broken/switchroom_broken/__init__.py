"""Every way in which somebody else's adapter has gone wrong so far."""

from __future__ import annotations

from contextlib import asynccontextmanager

NUMBER = 7


class Half:
    """Has nothing that an adapter has."""


class Sloppy:
    """Starts, and then raises whatever it likes, with what it knows in the words."""

    def __init__(self, connection, fetcher):
        self.words = f"oops {connection.key.get_secret_value() if connection.key else ''}"

    async def validate(self):
        raise ValueError(self.words)

    async def list_models(self):
        raise KeyError(self.words)

    @asynccontextmanager
    async def stream(self, request):
        if request.model == "refuses":
            raise RuntimeError(self.words)
        yield Breaking(self.words)

    async def count_tokens(self, request):
        return 7

    async def aclose(self):
        pass


class Breaking:
    """A stream that breaks in its middle."""

    state = "open"
    finish_reason = error = request_id = served_model = None
    status = 200

    def __init__(self, words):
        from catalog.usage import Usage

        self.usage = Usage()
        self.words = words

    async def __aiter__(self):
        from adapters.events import TextDelta

        yield TextDelta("Hello")
        raise ZeroDivisionError(self.words)


class Stumbling(Sloppy):
    """Cannot be made."""

    def __init__(self, connection, fetcher):
        raise TypeError(f"no {connection.key}")
