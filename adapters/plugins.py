"""What other packages bring in through the entry point group `switchroom.adapters`, and how it is kept from doing harm.

A plug-in is a class like ours (adapters.base.Adapter), made of a Connection and a Fetcher. It cannot take the name of
a dialect of ours; what it raises beyond our errors, or gives instead of what the contract says, becomes one of them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from types import new_class
from typing import TYPE_CHECKING, cast

from adapters.base import Adapter, Connection, ProviderState, RemoteModel, Stream, Validation
from adapters.errors import ProviderError, UnexpectedResponseError
from adapters.events import ChatRequest, Event, Finished, FinishReason, StreamState
from adapters.speed import Speed, speed_of
from catalog.bundled import provider_ids
from catalog.errors import OfflineError, SwitchroomError, UsageError
from catalog.options import Option
from catalog.plaintext import one_line
from catalog.redact import redact
from catalog.usage import Usage

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from adapters.fetch import Fetcher

GROUP = "switchroom.adapters"
Maker = Callable[[Connection, "Fetcher"], Adapter]
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_MUST = ("validate", "list_models", "stream", "aclose")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point of the group, as it was found. Texts are harmless."""

    dialect: str
    package: str
    """The distribution that brings it, with its version; the module where that is not known."""
    problem: str | None = None
    """Why it is not used, in a sentence; None: it is."""


class Plugins:
    """The plug-ins that are installed. `ours`: the names that are taken."""

    def __init__(self, ours: frozenset[str]) -> None:
        self._ours = ours

    def names(self) -> tuple[str, ...]:
        """The dialects they bring, in order, whether they work or not: nothing is imported."""
        return tuple(sorted(_points(self._ours)[0]))

    def maker(self, dialect: str) -> Maker | None:
        """What makes the adapter of a dialect; None: no plug-in brings it. Raises UsageError for a broken one."""
        point = _points(self._ours)[0].get(dialect)
        return None if point is None else _load(point)

    def options(self, dialect: str) -> Mapping[str, Option]:
        """The options that a plug-in's class declares as `OPTIONS`; empty: it takes whatever it is given."""
        try:
            declared = getattr(self.maker(dialect), "OPTIONS", None)
        except UsageError:
            return {}
        if not isinstance(declared, Mapping):
            return {}
        return {str(name): _option(option) for name, option in declared.items()}

    def look(self) -> tuple[Plugin, ...]:
        """Every plug-in and what is wrong with it. Imports each: may run in a thread."""
        points, refused = _points(self._ours)
        found = list(refused)
        for name in sorted(points):
            problem = None
            try:
                _load(points[name])
            except UsageError as error:
                problem = error.message
            found.append(Plugin(name, _package(points[name]), problem))
        return tuple(found)


@lru_cache(maxsize=4)
def _points(ours: frozenset[str]) -> tuple[dict[str, EntryPoint], tuple[Plugin, ...]]:
    """(the plug-ins that may be used, by dialect; those that may not)."""
    from importlib.metadata import entry_points

    points: dict[str, EntryPoint] = {}
    refused: list[Plugin] = []
    try:
        found = tuple(entry_points(group=GROUP))
    except Exception as error:  # noqa: BLE001  one package's damaged metadata spoils the list of all
        _log.warning("adapter plug-ins cannot be listed: %s", type(error).__name__)
        found = ()
    for point in found:
        problem = None
        if point.name in ours:
            problem = f"The dialect {point.name} is Switchroom's own and cannot be replaced."
        elif point.name in provider_ids():
            problem = f"{point.name} is the name of a vendor in the catalog."
        elif _NAME.fullmatch(point.name) is None:
            problem = "A dialect's name has small letters, digits, - and _ in it, 40 at most."
        elif point.name in points and point.value != points[point.name].value:
            problem = f"{_package(points[point.name])} brings the dialect {point.name} already."
        if problem is None:
            points.setdefault(point.name, point)
        else:
            refused.append(Plugin(one_line(point.name, 40), _package(point), problem))
            _log.warning("adapter plug-in %s is not used: %s", _package(point), problem)
    return points, tuple(refused)


@lru_cache(maxsize=64)
def _loaded(point: EntryPoint) -> Maker | str:
    """What a plug-in's entry point leads to, guarded; or why it cannot be used."""
    try:
        loaded = point.load()
        if not isinstance(loaded, type):
            return "is no adapter: it is not a class"
        missing = [name for name in _MUST if not callable(getattr(loaded, name, None))]
        if missing:
            return f"is no adapter: it has no {', '.join(missing)}"
        return cast("Maker", new_class(loaded.__name__, (_Guard, loaded)))
    except (Exception, SystemExit) as error:  # noqa: BLE001  a foreign module must not take the program along
        return f"cannot be loaded ({type(error).__name__}: {one_line(redact(str(error)), 120)})"


def _load(point: EntryPoint) -> Maker:
    """Raises UsageError for a broken plug-in, and says so in the log once."""
    loaded = _loaded(point)
    if isinstance(loaded, str):
        if point not in _told:
            _told.add(point)
            _log.warning("adapter plug-in %s %s", one_line(point.value, 80), loaded)
        raise UsageError(
            f"The plug-in {one_line(point.value, 80)} for the dialect {one_line(point.name, 40)} {loaded}.",
            hint="Repair or remove it.",
        )
    return loaded


_told: set[EntryPoint] = set()


def _option(declared: object) -> Option:
    """An option as it was declared: ours with its values, or only the sentence."""
    if not isinstance(declared, Option):
        return Option(one_line(str(declared), 200))
    try:
        re.compile(declared.takes)
    except re.error:
        return Option(declared.means)
    return declared


def _package(point: EntryPoint) -> str:
    try:
        found = point.dist
        return one_line(f"{found.name} {found.version}" if found is not None else point.value, 80)
    except Exception:  # noqa: BLE001  metadata may be damaged
        return one_line(point.value, 80)


class _Guard:
    """Stands before a plug-in's class: its mistakes are told as errors of ours; abilities and options stay what they are."""

    def __init__(self, connection: Connection, fetcher: Fetcher) -> None:
        try:
            super().__init__(connection, fetcher)  # type: ignore[call-arg]  # the plug-in's class comes next
        except SwitchroomError:
            raise
        except Exception as error:  # noqa: BLE001
            name, why = one_line(connection.dialect, 40), type(error).__name__
            _log.warning("adapter plug-in %s cannot be started: %s", name, why)
            raise UsageError(
                f"The plug-in for the dialect {name} cannot be started ({why}).", hint="Repair or remove it."
            ) from None

    async def validate(self) -> Validation:
        try:
            verdict = await cast("Adapter", super()).validate()
            if not isinstance(verdict, Validation):
                raise TypeError
        except SwitchroomError as error:
            return Validation(_state(error), error.message, 0, error)
        except Exception as error:  # noqa: BLE001
            mistake = _mistake(self, error)
            return Validation("error", mistake.message, 0, mistake)
        return verdict

    async def list_models(self) -> list[RemoteModel]:
        try:
            return [_harmless(model) for model in await cast("Adapter", super()).list_models()]
        except SwitchroomError:
            raise
        except Exception as error:  # noqa: BLE001
            raise _mistake(self, error) from None

    def stream(self, request: ChatRequest) -> AbstractAsyncContextManager[Stream]:
        return _opened(self, cast("Adapter", super()).stream, request)

    async def aclose(self) -> None:
        try:
            await cast("Adapter", super()).aclose()
        except Exception as error:  # noqa: BLE001  others wait to be closed
            _mistake(self, error)


def _state(error: SwitchroomError) -> ProviderState:
    """The state that an error of ours leaves behind, raised where a Validation was asked for."""
    if isinstance(error, OfflineError):
        return "offline"
    state = error.state if isinstance(error, ProviderError) else "error"
    return cast("ProviderState", "error" if state == "ok" else state)


def _harmless(model: RemoteModel) -> RemoteModel:
    """A model whose texts are lines without control characters, as everything here takes them to be."""
    texts = {
        name: one_line(value, limit)
        for name, limit in (("id", 512), ("name", 200), ("owned_by", 200), ("status", 60),
                            ("shutdown_date", 40), ("fingerprint", 200))
        if isinstance(value := getattr(model, name), str)
    }  # fmt: skip
    details = {
        one_line(str(name), 60): value if isinstance(value, int) else one_line(str(value), 200)
        for name, value in model.details.items()
    }
    return replace(model, **texts, details=details)  # type: ignore[arg-type]


def _mistake(adapter: object, error: Exception) -> UnexpectedResponseError:
    """A mistake in a plug-in, without its words: they may hold a key."""
    name = type(adapter).__name__
    _log.warning("adapter plug-in %s failed: %s", name, type(error).__name__)
    return UnexpectedResponseError(
        f"The plug-in {one_line(name, 60)} made a mistake ({type(error).__name__}).",
        hint="Repair or remove it.",
    )


@asynccontextmanager
async def _opened(
    adapter: object,
    stream: Callable[[ChatRequest], AbstractAsyncContextManager[Stream]],
    request: ChatRequest,
) -> AsyncIterator[Stream]:
    try:
        context = stream(request)
        opened = await context.__aenter__()
    except SwitchroomError:
        raise
    except Exception as error:  # noqa: BLE001
        raise _mistake(adapter, error) from None
    told = _Told(opened, adapter)
    try:
        yield told
    finally:
        try:
            await context.__aexit__(None, None, None)
        except Exception as error:  # noqa: BLE001  what was said stays said
            _log.warning(
                "adapter plug-in %s failed to close: %s", type(adapter).__name__, type(error).__name__
            )


class _Told:
    """A plug-in's stream: it ends in a named state even where the plug-in raises."""

    def __init__(self, stream: Stream, adapter: object) -> None:
        self._stream = stream
        self._adapter = adapter
        self._error: ProviderError | None = None

    @property
    def usage(self) -> Usage:
        return self._stream.usage

    @property
    def status(self) -> int:
        return self._stream.status

    @property
    def request_id(self) -> str | None:
        return self._stream.request_id

    @property
    def served_model(self) -> str | None:
        return self._stream.served_model

    @property
    def served_by(self) -> str | None:
        return getattr(self._stream, "served_by", None)

    @property
    def speed(self) -> Speed | None:
        return speed_of(self._stream)

    @property
    def state(self) -> StreamState:
        return self._stream.state if self._error is None else "failed"

    @property
    def finish_reason(self) -> FinishReason | None:
        return self._stream.finish_reason if self._error is None else "error"

    @property
    def error(self) -> ProviderError | None:
        return self._error or self._stream.error

    async def __aiter__(self) -> AsyncIterator[Event]:
        try:
            async for event in self._stream:
                yield event
                if isinstance(event, Finished):
                    break
            return
        except ProviderError as error:
            self._error = error
        except Exception as error:  # noqa: BLE001
            self._error = _mistake(self._adapter, error)
        yield Finished("failed", "error", None, self._error)
