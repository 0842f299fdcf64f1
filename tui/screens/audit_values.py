"""How the details of an audit entry are written: each field's name and value in words, before and after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from catalog.plaintext import one_line
from tui.formatting import cents, duration, money, whole
from tui.screens.schedule_words import schedule

_LABELS = {
    "limit_usd": "limit", "until": "until", "alert": "warns at", "auto_sync": "sync", "catalog_id": "vendor", "ca_file": "private CA",
    "allow_http": "plain http", "tls_min": "lowest TLS", "cost_mode": "cost", "gpu_hour_nanos": "per hour",
    "discount_pct": "discount", "timeout_s": "timeout", "key_last4": "key ends in", "last4": "key ends in",
    "backend": "key kept in", "key": "key", "secret_headers": "secret headers", "latency_ms": "answered in",
    "duration_ms": "took", "total": "models", "added": "new", "updated": "changed", "removed": "gone",
    "cost_usd": "cost", "run_id": "run", "input": "tokens in", "output": "tokens out", "caller": "asked by",
    "code": "because", "reserved_nanos": "set aside", "counted": "counted", "moved": "keys moved", "enabled": "state",
    "dependents": "used by",
}  # fmt: skip
"""Field → its name on the screen; the others are written as they are."""

_BACKENDS = {"keyring": "the keyring", "vault": "the vault", "file": "a key file", "env": "the environment"}


@dataclass(frozen=True, slots=True)
class Change:
    """One field before and after, in words."""

    label: str
    old: str
    new: str

    @property
    def same(self) -> bool:
        return self.old == self.new

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"


def label(name: str) -> str:
    """A field's name for people."""
    return _LABELS.get(name) or one_line(name.replace("_", " "), 40)


def value(name: str, content: Any) -> str:
    """A field's value in words; `none` for None."""
    if content is None or content in ({}, []):
        return _nothing(name)
    special = _SPECIAL.get(name)
    if special is not None:
        return special(content)
    if isinstance(content, bool):
        return "yes" if content else "no"
    if name.endswith("_nanos") and isinstance(content, int):
        return money(Decimal(content) / 1_000_000_000)
    if name.endswith("_usd"):
        return _money(content)
    if name.endswith("_ms") and isinstance(content, int):
        return duration(content)
    if isinstance(content, int):
        return whole(content)
    if isinstance(content, Mapping):
        return one_line(", ".join(f"{key}={item}" for key, item in content.items()))
    if isinstance(content, list):
        return several(content)
    return one_line(str(content))


def several(names: Sequence[object], most: int = 3) -> str:
    """`a, b, c and 4 more`."""
    shown = ", ".join(one_line(str(name), 60) for name in names[:most])
    return f"{shown} and {whole(len(names) - most)} more" if len(names) > most else shown


def changes(detail: Mapping[str, Any]) -> list[Change]:
    """The fields of `before` and `after`; those that did not change come last. Empty: it tells of no change."""
    if "before" not in detail or "after" not in detail:
        return []
    before, after = detail["before"], detail["after"]
    if not isinstance(before, Mapping) and not isinstance(after, Mapping):
        return [Change("", value("", before), value("", after))]
    old = before if isinstance(before, Mapping) else {}
    new = after if isinstance(after, Mapping) else {}
    found = [_change(name, old, new) for name in {**old, **new}]
    return sorted(found, key=lambda change: change.same)


def _change(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Change:
    return Change(
        label(name),
        value(name, old.get(name)) if old else _missing(name),
        value(name, new.get(name)) if new else _missing(name),
    )


def rest(detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(label, value) of the fields besides before and after."""
    for name, content in detail.items():
        if not (name in ("before", "after") and "before" in detail and "after" in detail):
            yield label(name), value(name, content)


def key_place(detail: Mapping[str, Any]) -> str:
    """`keyring …vX2Q`, `env OPENAI_API_KEY`, `none`."""
    reference = detail.get("key")
    if not isinstance(reference, str):
        return "none"
    place, _, name = reference.partition(":")
    last4 = detail.get("key_last4")
    tail = f" {name}" if place == "env" else f" …{last4}" if last4 else ""
    return one_line(place + tail, 60)


def _nothing(name: str) -> str:
    return {"until": "for good", "limit_usd": "no limit", "timeout_s": "as set for all", "retries": "as set for all"}.get(name, "none")  # fmt: skip


def _missing(name: str) -> str:
    return "no limit" if name == "limit_usd" else "—"


def _money(content: Any) -> str:
    try:
        return cents(Decimal(str(content)))
    except InvalidOperation:
        return one_line(str(content))


def _share(content: Any) -> str:
    return f"{content:.0%}" if isinstance(content, (int, float)) else one_line(str(content))


def _moment(content: Any) -> str:
    try:
        return f"{dt.datetime.fromisoformat(str(content)).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return one_line(str(content))


def _cost(content: Any) -> str:
    try:
        return money(Decimal(str(content)))
    except InvalidOperation:
        return one_line(str(content))


_SPECIAL: dict[str, Callable[[Any], str]] = {
    "limit_usd": _money,
    "cost_usd": _cost,
    "alert": _share,
    "until": _moment,
    "enabled": lambda content: "on" if content else "off",
    "auto_sync": lambda content: schedule(str(content)),
    "timeout_s": lambda content: f"{content:g} s" if isinstance(content, (int, float)) else str(content),
    "discount_pct": lambda content: one_line(f"{content} %"),
    "key": lambda content: key_place({"key": content}),
    "key_last4": lambda content: one_line(f"…{content}", 12),
    "last4": lambda content: one_line(f"…{content}", 12),
    "backend": lambda content: _BACKENDS.get(str(content), one_line(str(content))),
    "code": lambda content: one_line(str(content).replace("_", " ")),
    "error": lambda content: one_line(str(content).replace("_", " ")),
}
