"""What a provider can be added as: a vendor whose dialect is spoken here, or an address of the user's own."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from tui.modals.pick import Pick
from tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from catalog.lookup import Catalog
    from catalog.types import ProviderSpec

_DOORS = {"ollama": "/v1"}
"""Vendors whose servers also speak OpenAI's dialect, and the path under which they do."""
_ADDRESS = re.compile(r"https?://\S+|(localhost|\d+(\.\d+){3}|[\w.-]+:\d{2,5})(:\d+)?(/\S*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Choice:
    """A line of the first window: a vendor, or (without `spec`) an address of the user's own."""

    spec: ProviderSpec | None
    variable: str = ""
    """The environment variable that already holds a key; empty when none does."""

    @property
    def id(self) -> str:
        return self.spec.id if self.spec else ""

    @property
    def endpoint(self) -> str:
        """Where it is, as far as one knows; a vendor of another dialect by its OpenAI-compatible door."""
        if self.spec is None:
            return ""
        return self.spec.endpoint if self.spoken else self.spec.endpoint + _DOORS[self.spec.id]

    @property
    def spoken(self) -> bool:
        """True where the vendor's own dialect is spoken."""
        return self.spec is None or _spoken(self.spec.dialect)


def choices(catalog: Catalog) -> list[Choice]:
    """What can be added and then works: those with a key in the environment first, “other” last."""
    found = [
        Choice(spec, next((name for name in spec.env.key if os.environ.get(name)), ""))
        for spec in catalog.specs()
        if _spoken(spec.dialect) or spec.id in _DOORS
    ]
    found.sort(key=lambda choice: not choice.variable)
    return [*found, Choice(None)]


def choice_window(lines: Sequence[Choice], start: str | None) -> Pick[Choice]:
    """The first window of the wizard."""
    columns: tuple[Column[Choice], ...] = (
        Column("name", "", lambda c: c.spec.name if c.spec else "Other: its address", width=20, max_width=34),
        Column("kind", "", _kind, width=20, max_width=40),
        Column("endpoint", "", lambda c: (c.endpoint, "dim"), width=16, flex=1, priority=1, cut="middle"),
    )
    return Pick(
        "Add a provider: which one?", columns, lines,
        key=lambda c: c.id,
        search=lambda c: f"{c.id} {c.spec.name} {c.endpoint}" if c.spec else "other paste base url address",
        placeholder="type to filter, or paste the address of a server",
        keep_last=True, best_first=True,
        start=start,
    )  # fmt: skip


def _kind(choice: Choice) -> Cell:
    if choice.spec is None:
        return "any OpenAI-compatible server", "dim"
    if choice.variable:
        return f"● key found in {choice.variable}", "ok"
    return ("on your own machine", "dim") if choice.spec.local else ("with a key", "dim")


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor of the catalog, as it is browsed."""

    choice: Choice
    models: int
    """How many of its models the catalog knows; 0: its server says."""
    connected: int
    """How many providers of it there are here."""

    @property
    def spec(self) -> ProviderSpec:
        assert self.choice.spec is not None
        return self.choice.spec


def vendors(catalog: Catalog, here: Sequence[str | None]) -> list[Vendor]:
    """The known vendors; `here` are the catalog ids of the configured providers. Reads the catalog's files."""
    found = []
    for choice in choices(catalog):
        if choice.spec is not None:
            known = catalog.provider(choice.spec.id)
            found.append(Vendor(choice, len(known.models) if known else 0, here.count(choice.spec.id)))
    return found


def browse_window(lines: Sequence[Vendor]) -> Pick[Vendor]:
    """The known vendors: what each is, how many models, where to get a key."""
    columns: tuple[Column[Vendor], ...] = (
        Column("name", "vendor", lambda v: (v.spec.name, "strong"), width=14, max_width=28),
        Column("here", "here", lambda v: (f"● {v.connected}", "ok") if v.connected else ("not yet", "dim"), width=7, priority=3),
        Column("models", "models", lambda v: str(v.models) if v.models else ("its own", "dim"), width=7, align="right", priority=2),
        Column("key", "a key", _where_key, width=24, max_width=52, priority=1),
        Column("endpoint", "endpoint", lambda v: (v.choice.endpoint, "dim"), width=20, flex=1, priority=4, cut="middle"),
    )  # fmt: skip
    return Pick(
        "Known vendors", columns, lines,
        key=lambda v: v.spec.id,
        search=lambda v: f"{v.spec.id} {v.spec.name} {v.choice.endpoint}",
        header=True, wide=True, best_first=True, choose_words="add it", leave_words="back",
    )  # fmt: skip


def _where_key(vendor: Vendor) -> Cell:
    if vendor.choice.variable:
        return f"● found in {vendor.choice.variable}", "ok"
    if vendor.spec.local:
        return "none needed, on your own machine", "dim"
    return (vendor.spec.key_url or "from the vendor").removeprefix("https://")


def is_address(text: str) -> bool:
    """True for what was pasted into the filter and can only be an address."""
    return _ADDRESS.fullmatch(text.strip()) is not None


def reachable(choice: Choice, url: str) -> str:
    """The address to use; UsageError where nothing here speaks what is behind it."""
    from catalog.detect import detect

    if choice.spec is not None and choice.spoken:
        return url
    found = detect(url)
    if _spoken(found.dialect):
        return url
    door = _DOORS.get(found.vendor or "")
    if door is None:
        raise UsageError(
            f"That is {found.vendor}, whose dialect ({found.dialect}) is not spoken yet.",
            hint="Give the address of an OpenAI-compatible server.",
        )
    return url.rstrip("/") + door


def _spoken(dialect: str) -> bool:
    from adapters.loader import dialects

    return dialect in dialects()
