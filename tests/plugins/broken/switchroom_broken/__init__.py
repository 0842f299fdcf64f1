"""Every way in which somebody else's adapter has gone wrong so far."""

from __future__ import annotations

from contextlib import asynccontextmanager

NUMBER = 7


class Half:
    """Has nothing that an adapter has."""


def make(connection, fetcher):
    """Makes one, but says nothing of what it can."""
    return Sloppy(connection, fetcher)


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
        raise OSError(self.words)


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


class Careless(Sloppy):
    """Gives what it likes, and raises errors of ours where it should say a verdict."""

    async def validate(self):
        from adapters.errors import InvalidCredentialsError

        if "wrong" in self.words:
            raise InvalidCredentialsError("It refuses the key.")
        return "fine"

    async def list_models(self):
        from adapters.base import RemoteModel

        if "wrong" in self.words:
            return None
        return [RemoteModel("m\x1b[2J", name="a\nb", details={"k\x07": "v\x1b]0;x\x07"})]

    @asynccontextmanager
    async def stream(self, request):
        yield Careless.Twice()

    class Twice:
        state, finish_reason, error = "complete", "stop", None
        status, request_id, served_model, usage = 200, None, None, None

        async def __aiter__(self):
            from adapters.events import Finished

            yield Finished("complete", "stop")
            raise ZeroDivisionError


class Stumbling(Sloppy):
    """Cannot be made."""

    def __init__(self, connection, fetcher):
        raise TypeError(f"no {connection.key}")
