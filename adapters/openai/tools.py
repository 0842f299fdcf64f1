"""Tool-call deltas put in order: which call a piece belongs to, when servers omit, repeat or share its index."""

from __future__ import annotations

import json
from collections.abc import Mapping

from adapters.events import Event, ToolCallDelta
from adapters.text import mend
from catalog.plaintext import one_line


class _Call:
    __slots__ = ("id", "index", "name")

    def __init__(self, index: int) -> None:
        self.index = index
        self.id = ""
        self.name = ""


class ToolCalls:
    """Numbers the calls of one answer 0, 1, 2 … in the order they appear."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}

    @property
    def seen(self) -> bool:
        return bool(self._calls)

    def read(self, delta: Mapping[str, object]) -> list[Event]:
        """The events of a delta's or a message's `tool_calls`, or of the old `function_call`."""
        given = delta.get("tool_calls")
        if isinstance(given, dict):
            given = [given]
        if isinstance(given, list):
            return [
                event for place, item in enumerate(given) if (event := self._piece(item, place)) is not None
            ]
        old = delta.get("function_call")
        if isinstance(old, dict):
            event = self._piece({"index": 0, "function": old}, 0)
            return [event] if event is not None else []
        return []

    def _piece(self, item: object, place: int) -> Event | None:
        if not isinstance(item, dict):
            return None
        function = item.get("function")
        function = (
            function
            if isinstance(function, dict)
            else item.get("custom")
            if isinstance(item.get("custom"), dict)
            else {}
        )
        assert isinstance(function, dict)
        call_id = _text(item.get("id"))
        name = _text(function.get("name"))
        arguments = function.get("arguments", function.get("input"))
        if isinstance(arguments, (dict, list)):
            arguments = json.dumps(arguments, ensure_ascii=False)
        written = mend(arguments) if isinstance(arguments, str) else ""
        call = self._find(item.get("index"), call_id, name, place)
        new_id = call_id if call_id and not call.id else None
        new_name = name if name and not call.name else None
        call.id, call.name = call.id or call_id, call.name or name
        if new_id is None and new_name is None and not written:
            return None
        return ToolCallDelta(call.index, new_id, new_name, written)

    def _find(self, index: object, call_id: str, name: str, place: int) -> _Call:
        """By index; by id where there is none; else the place in the list. A new id with a name is a new call even
        under a known index, since some servers number every call 0."""
        if isinstance(index, int) and not isinstance(index, bool):
            known = self._by_index.get(index)
            if known is None or (call_id and name and known.id and call_id != known.id):
                known = self._by_id.get(call_id) if call_id and known is not None else None
                known = known or self._new()
                self._by_index[index] = known
        elif call_id:
            known = self._by_id.get(call_id) or self._new()
        elif name or not self._calls:
            known = self._new()
        else:
            known = self._calls[place] if place and place < len(self._calls) else self._calls[-1]
        if call_id:
            self._by_id.setdefault(call_id, known)
        return known

    def _new(self) -> _Call:
        call = _Call(len(self._calls))
        self._calls.append(call)
        return call


def _text(value: object) -> str:
    return one_line(value, 256) if isinstance(value, str) else ""
