"""What a provider's line in the table says, column by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.names import natural
from tui.formatting import UNKNOWN, Tone, age, cents, millis, percent, short_kind, state
from tui.widgets.columns import Cell, Column
from tui.widgets.facets import Facet

if TYPE_CHECKING:
    from services.registry import ProviderView


@dataclass(frozen=True, slots=True)
class ProviderLine:
    """One row: the provider, and what is being done with it right now."""

    view: ProviderView
    now: int
    """UTC ms the ages count from."""
    busy: str = ""
    """`syncing` or `testing`; empty when nothing is."""

    @property
    def slug(self) -> str:
        return self.view.row.slug


def state_cell(line: ProviderLine) -> Cell:
    mark = state(line.busy or line.view.state)
    return str(mark), mark.tone


def _key(line: ProviderLine) -> Cell:
    label = line.view.key_label
    return (label, "dim") if label == "none needed" else label


def _ttft(line: ProviderLine) -> Cell:
    if line.view.ttft_p50 is None:
        return UNKNOWN, "dim"
    return f"{millis(line.view.ttft_p50)} / {millis(line.view.ttft_p95)}"


def _errors(line: ProviderLine) -> Cell:
    share = line.view.error_share
    if share is None:
        return UNKNOWN, "dim"
    tone: Tone = "bad" if share >= 0.1 else "warn" if share >= 0.02 else ""
    return percent(share), tone


def _spend(line: ProviderLine) -> Cell:
    return (UNKNOWN, "dim") if line.view.spend_month is None else cents(line.view.spend_month)


def _models(line: ProviderLine) -> Cell:
    if not line.view.models_total:
        return UNKNOWN, "dim"
    return f"{line.view.models_enabled}/{line.view.models_total}"


def sync_cell(line: ProviderLine) -> Cell:
    last = line.view.last_sync
    if last is None:
        return "never", "dim"
    ago = age(last.started_at, line.now)
    return (f"✕ {ago}", "bad") if last.state == "error" else (ago, "")


def _off(line: ProviderLine) -> Tone:
    return "dim" if line.view.state == "off" else ""


COLUMNS: tuple[Column[ProviderLine], ...] = (
    Column("state", "state", state_cell, width=9, max_width=16, sort=lambda line: line.view.state),
    Column("provider", "provider", lambda line: (line.slug, _off(line) or "strong"), width=10, max_width=28, sort=lambda line: natural(line.slug)),
    Column("key", "key", _key, width=9, max_width=26, priority=1),
    Column("ttft", "TTFT p50/p95", _ttft, width=13, align="right", priority=2, down=True, sort=lambda line: line.view.ttft_p50),
    Column("errors", "errors", _errors, width=6, align="right", priority=3, down=True, sort=lambda line: line.view.error_share),
    Column("spend", "month", _spend, width=8, align="right", priority=4, down=True, sort=lambda line: line.view.spend_month),
    Column("models", "models", _models, width=7, max_width=13, align="right", priority=5, down=True, sort=lambda line: line.view.models_total),
    Column("sync", "synced", sync_cell, width=7, align="right", priority=6),
    Column("type", "type", lambda line: (short_kind(line.view.row.catalog_id, line.view.row.dialect), _off(line)), width=6, max_width=12, priority=7),
    Column("region", "region", lambda line: (line.view.row.region or "", "dim"), width=6, max_width=14, priority=9, optional=True),
    Column("endpoint", "endpoint", lambda line: (line.view.row.endpoint, "dim"), width=14, flex=1, priority=8, cut="middle"),
)  # fmt: skip
"""By the priorities of the screen's design: the right end of that list is dropped first."""


def search_text(line: ProviderLine) -> str:
    """What the filter looks in."""
    row = line.view.row
    labels = " ".join(f"{name}={value}" for name, value in row.labels.items())
    return " ".join(
        (row.slug, row.name, line.view.state_word, line.view.key_label, row.catalog_id or "", row.dialect,
         row.region or "", row.endpoint, labels)
    )  # fmt: skip


FACETS: tuple[Facet[ProviderLine], ...] = (
    Facet("state", words=lambda line: (line.view.state,)),
    Facet("type", words=lambda line: (short_kind(line.view.row.catalog_id, line.view.row.dialect),)),
    Facet("enabled", words=lambda line: ("yes", "on") if line.view.row.enabled else ("no", "off")),
    Facet("region", words=lambda line: (line.view.row.region,) if line.view.row.region else ()),
    Facet("label", words=lambda line: tuple(f"{name}={value}" for name, value in line.view.row.labels.items())),
    Facet("spend", number=lambda line: None if line.view.spend_month is None else float(line.view.spend_month)),
    Facet("errors", number=lambda line: None if line.view.error_share is None else line.view.error_share * 100),
    Facet("ttft", number=lambda line: line.view.ttft_p50),
)  # fmt: skip
"""What providers are narrowed by; `errors` is in percent, `ttft` in ms."""

EXPORTED = (
    "provider", "state", "enabled", "type", "dialect", "endpoint", "region", "key", "usd_this_month", "ttft_p50_ms",
    "ttft_p95_ms", "error_share_30d", "runs_30d", "models_enabled", "models", "last_sync_ms", "last_sync",
)  # fmt: skip


def exported_row(line: ProviderLine) -> Mapping[str, object]:
    """One provider as `X` writes it; of its key only where it is kept."""
    view, row = line.view, line.view.row
    values = (
        row.slug, view.state, row.enabled, short_kind(row.catalog_id, row.dialect), row.dialect, row.endpoint, row.region,
        view.key_label, view.spend_month, view.ttft_p50, view.ttft_p95, view.error_share, view.runs_30d,
        view.models_enabled, view.models_total,
        view.last_sync.started_at if view.last_sync else None, view.last_sync.state if view.last_sync else None,
    )  # fmt: skip
    return dict(zip(EXPORTED, values, strict=True))
