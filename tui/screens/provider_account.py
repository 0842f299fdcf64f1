"""The Account tab of a provider: what its vendor says was used, billed and is left, how old that is, and which key opens it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll

from tui.formatting import UNKNOWN, Tone, ago, cents, count, money, tokens, whole
from tui.widgets.columns import Cell, Column
from tui.widgets.pairs import Pair, PairPage
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from services.account_views import AccountView
    from services.container import Services
    from store.vendor_usage import By, VendorTotal
    from tui.app import SwitchroomApp

LOW = 28
"""Rows of the terminal below which notes give way to the table."""
SPANS = (("7 days", 7), ("30 days", 30), ("90 days", 90))
GROUPS = ("day", "model", "line item")
"""What the table is by, in the order of its key."""
_KEYS: dict[str, By] = {"day": "day", "model": "model", "line item": "item"}
_WAIT = "Reading what is kept …"


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One row of the table: a UTC day, a model or a line item."""

    name: str
    total: VendorTotal


@dataclass(frozen=True, slots=True)
class AccountShown:
    """Everything the page shows."""

    view: AccountView
    span: str
    by: str
    total: VendorTotal | None
    lines: tuple[AccountLine, ...]
    now: int
    reading: bool = False
    known_from: int | None = None
    """From when on anything was read, where that is later than the span begins; None: all of it was."""


class AccountPage(Vertical):
    """The figures, and what was used and billed in a table."""

    DEFAULT_CSS = """
    AccountPage > VerticalScroll { height: auto; max-height: 60%; padding: 0 1; scrollbar-size-vertical: 1; }
    AccountPage > VirtualTable { margin: 1 0 0 0; min-height: 4; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.figures = PairPage()
        self.table: VirtualTable[AccountLine] = VirtualTable(
            _columns("day"), key=lambda line: line.name, empty=_WAIT, marks=False
        )
        self.state = ""
        """The account's state as it is shown; empty: nothing was loaded yet."""
        self._shown: AccountShown | None = None

    def compose(self) -> ComposeResult:
        scroll = VerticalScroll(self.figures)
        scroll.can_focus = False
        yield scroll
        yield self.table

    def show(self, found: AccountShown, app: SwitchroomApp) -> None:
        """Show these; what is equal is not painted again."""
        if found == self._shown:
            return
        self._shown = found
        self.state = found.view.state
        low = self.screen.size.height < LOW
        self.figures.show(
            [(name, app.with_keys(value), tone) for name, value, tone in figures(found, low=low)]
        )
        self.table.display = found.view.state not in ("no_api", "needs_key") or bool(found.lines)
        empty = "Reading …" if found.reading else "Nothing was used in these days, as far as the vendor says."
        if found.view.pulled_at is None and not found.reading:
            empty = "This vendor states no usage by day to this key."
        if self.table.columns[0].title != f"by {found.by}":
            self.table.columns = _columns(found.by)
            self.table.on_resize()
        self.table.set_empty(empty)
        self.table.set_rows(found.lines)


async def read(services: Services, slug: str, span: int, by: str, *, reading: bool) -> AccountShown:
    """What is kept of a provider's account; nothing is contacted."""
    from services.account import midnight
    from services.clock import now_ms
    from store.vendor_usage import API

    words, days = SPANS[span]
    now = now_ms()
    since, until = midnight(now, 1 - days), midnight(now, 1)
    accounts = services.accounts
    view = await accounts.view(slug)
    found = await accounts.totals(slug, since, until, _KEYS[by], source=API)
    whole_span = await accounts.totals(slug, since, until, None, source=API)
    short = view.read_from if view.read_from is not None and view.read_from > since else None
    total = whole_span[0] if whole_span else None
    return AccountShown(view, words, by, total, _lines(found, by), now, reading, short)


def _lines(found: Sequence[VendorTotal], by: str) -> tuple[AccountLine, ...]:
    if by == "day":
        return tuple(AccountLine(one.key, one) for one in reversed(found))
    named = [(one.key.partition("/")[2], one) for one in found]
    if by == "line item":
        billed = [(name.partition("\t"), one) for name, one in named if one.cost_nanos is not None]
        lines = [AccountLine(item or model or "not told", one) for (model, _, item), one in billed]
    else:
        lines = [AccountLine(name or "not told by model", one) for name, one in named]
    return tuple(sorted(lines, key=lambda line: -(line.total.cost_nanos or 0)))


def figures(found: AccountShown, *, low: bool = False) -> list[Pair]:
    """The page above the table, in words."""
    from services.account_words import figure_lines

    view = found.view
    pairs = [*_state(found)]
    if view.state == "needs_key":
        if view.admin_url:
            pairs += [
                ("get one at", view.admin_url, ""),
                ("", "then {K:provider.key} and “account key”", "accent"),
            ]
        if view.offer:
            pairs.append(("", f"{view.offer} is set here: name it there as the variable", "accent"))
        return pairs
    if view.admin_label:
        pairs.append(("account key", view.admin_label, ""))
    pairs += [(name, value, "dim" if value == UNKNOWN else "") for name, value in figure_lines(view.figures)]
    if found.total is not None:
        if found.known_from is None:
            pairs.append((f"last {found.span}", _sum(found.total), "strong"))
        else:
            from services.clock import iso

            pairs.append((f"since {(iso(found.known_from) or '')[:10]}", _sum(found.total), "strong"))
            pairs.append(("", f"{{r:provider.account_read}} reads all {found.span}", "accent"))
    if view.more:
        pairs.append(("", f"{view.more} {{K:provider.key}} gives one.", "accent"))
    if not low:
        pairs += [("note", note, "dim") for note in (view.note, *view.notes) if note]
    return pairs


def _state(found: AccountShown) -> list[Pair]:
    view = found.view
    if found.reading:
        return [("account", f"◌ asking {view.vendor} …", "accent")]
    if view.state == "no_api":
        return [("account", f"○ none: {view.words[:1].lower()}{view.words[1:]}", "dim")]
    if view.state == "needs_key":
        return [("account", f"◌ {view.words}", "warn")]
    if view.error is not None:
        pairs: list[Pair] = [("account", f"✕ {view.error.message}", "bad")]
        if view.error.hint:
            pairs.append(("", view.error.hint, "dim"))
        kept = (
            f"the figures below are of {ago(view.report_at, found.now)}"
            if view.report_at
            else "nothing was read yet"
        )
        return [*pairs, ("", f"{kept}; {{r:provider.account_read}} asks again", "accent")]
    if view.state == "never":
        return [("account", "◌ not read yet; {r:provider.account_read} asks the vendor", "dim")]
    return [("account", f"● {view.vendor}, read {ago(view.report_at, found.now)}; days are UTC", "ok")]


def _sum(total: VendorTotal) -> str:
    parts = []
    if total.cost_nanos is not None:
        parts.append(f"{cents(_usd(total))} billed")
    if total.requests is not None:
        parts.append(count(total.requests, "request"))
    if total.input is not None:
        cached = f" ({tokens(total.cache_read)} cached)" if total.cache_read else ""
        parts.append(f"{tokens(total.input)} in{cached}")
    if total.output is not None:
        parts.append(f"{tokens(total.output)} out")
    return ", ".join(parts)


def _usd(total: VendorTotal) -> Decimal | None:
    from catalog.money import from_nanos

    return None if total.cost_nanos is None else from_nanos(total.cost_nanos)


def _figure(name: str, write: Callable[[int], str]) -> Callable[[AccountLine], Cell]:
    def cell(line: AccountLine) -> Cell:
        value: int | None = getattr(line.total, name)
        return (UNKNOWN, "dim") if value is None else write(value)

    return cell


def _billed(line: AccountLine) -> Cell:
    tone: Tone = "dim" if line.total.cost_nanos is None else ""
    if line.total.cost_nanos is not None and line.total.cost_nanos < 0:  # the vendor gave money back
        return money(_usd(line.total)), tone
    return cents(_usd(line.total)), tone


def _columns(by: str) -> tuple[Column[AccountLine], ...]:
    columns: tuple[Column[AccountLine], ...] = (
        Column(
            "name",
            f"by {by}",
            lambda line: (line.name, "strong"),
            width=12,
            max_width=60,
            least=12,
            cut="middle",
        ),
        Column("requests", "requests", _figure("requests", whole), width=8, align="right", priority=3),
        Column("input", "in", _figure("input", tokens), width=6, align="right", priority=1),
        Column("cache_read", "cached", _figure("cache_read", tokens), width=6, align="right", priority=4),
        Column("output", "out", _figure("output", tokens), width=6, align="right", priority=2),
        Column("cost", "billed", _billed, width=9, align="right"),
    )
    return columns if by != "line item" else (columns[0], columns[-1])
