"""Two to four models side by side: a column for each, a row for each field, the best of a row marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from catalog import capabilities
from catalog.errors import NotFoundError, SwitchroomError
from tui.formatting import UNKNOWN, cents, count, millis, tokens, whole
from tui.screens.model_columns import Known, now_ms, price, price_of
from tui.screens.model_pages import EXPORTED, exported_row
from tui.screens.rereading import Rereading
from tui.widgets.columns import Cell, Column
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.models import ModelView
    from tui.exporting import Exported

MOST = 4
"""Models that have room beside one another."""
_RELOAD = frozenset({"ProvidersChanged", "ModelsChanged", "SyncEnded", "RunEnded", "SettingsChanged", "StoreChangedElsewhere"})  # fmt: skip
_ABILITIES = (("tools", "tools"), ("vision", "vision"), ("reasoning", "reasoning"), ("JSON", "json"), ("audio", "audio"))  # fmt: skip

Pick = Callable[[Sequence[float]], float]


@dataclass(frozen=True, slots=True)
class Line:
    """One field of all the models."""

    name: str
    cells: tuple[Cell, ...]

    @property
    def differs(self) -> bool:
        """The models do not all say the same."""
        return len(set(self.cells)) > 1


def compared(views: Sequence[ModelView], known: Known, discounts: dict[str, float]) -> list[Line]:
    """The page, from what is asked most to what is asked least. `discounts`: provider → percent off its prices."""
    records = [known.records.get(view.ref) for view in views]
    lines = [
        Line("model", tuple((view.info.id, "strong") for view in views)),
        Line("provider", tuple(view.provider for view in views)),
        Line("state", tuple(known.standing(view) for view in views)),
    ]
    for name, side in (("$ in/1M", "input"), ("$ out/1M", "output"), ("$ cached/1M", "cache_read")):
        paid = [_paid(view, side, discounts) for view in views]
        lines.append(_line(name, [price(view, side) for view in views], paid, min))
    if any(discounts.get(view.provider) for view in views):
        off = [discounts.get(view.provider) for view in views]
        lines.append(Line("discount", tuple(f"{share:g} %" if share else ("none", "dim") for share in off)))
    for name, sizes in (
        ("context", [view.info.context_window for view in views]),
        ("max output", [view.info.max_output for view in views]),
    ):
        lines.append(_line(name, [_tokens(size) for size in sizes], sizes, max))
    lines += [Line(name, tuple(_able(view, ability) for view in views)) for name, ability in _ABILITIES]
    ttft = [record.ttft_p50 if record else None for record in records]
    speeds = [record.tok_per_s if record else None for record in records]
    runs = [record.runs if record else 0 for record in records]
    costs = [record.cost if record else None for record in records]
    return [
        *lines,
        _line("TTFT", [_known(time, millis) for time in ttft], ttft, min),
        _line("tok/s", [_known(speed, "{:.0f}".format) for speed in speeds], speeds, max),
        Line("runs, 30 d", tuple(whole(number) if number else ("0", "dim") for number in runs)),
        Line("cost, 30 d", tuple(_known(cost, cents) for cost in costs)),
        Line("released", tuple(view.info.release_date or (UNKNOWN, "dim") for view in views)),
    ]


def _paid(view: ModelView, side: str, discounts: dict[str, float]) -> float | None:
    amount = price_of(view, side)
    return None if amount is None else float(amount) * (1 - discounts.get(view.provider, 0.0) / 100)


def _known(value: object, words: Callable[..., str]) -> Cell:
    return (UNKNOWN, "dim") if value is None else words(value)


def _tokens(size: int | None) -> Cell:
    return _known(size, tokens)


def _able(view: ModelView, ability: str) -> Cell:
    found = capabilities.ability(view.info, ability, view.asked)
    if found.can is None:
        return UNKNOWN, "dim"
    if found.guessed:
        return "guessed", "dim"
    words = f"{'yes' if found.can else 'no'}{', asked' if found.source == 'probe' else ''}"
    return words if found.can else (words, "dim")


def _line(name: str, cells: Sequence[Cell], values: Sequence[float | None], pick: Pick) -> Line:
    """The best gets a ✓, unless only one is known or all are as good; the others stand in line with it."""
    known = [value for value in values if value is not None]
    best = pick(known) if len(known) > 1 and min(known) != max(known) else None
    if best is None:
        return Line(name, tuple(cells))
    return Line(
        name,
        tuple(_marked(cell, best=value == best) for cell, value in zip(cells, values, strict=True)),
    )


def _marked(cell: Cell, *, best: bool) -> Cell:
    if isinstance(cell, str):
        return (f"✓ {cell}", "ok") if best else f"  {cell}"
    return (f"✓ {cell[0]}", "ok") if best else (f"  {cell[0]}", cell[1])


def _columns(models: int) -> tuple[Column[Line], ...]:
    def cell(place: int, line: Line) -> Cell:
        return line.cells[place]

    return (
        Column("name", "", lambda line: (line.name, "dim"), width=12),
        *(
            Column(f"m{place}", "", partial(cell, place), width=9, flex=1, cut="middle")
            for place in range(models)
        ),
    )


class ModelCompare(Rereading):
    """The models marked in the table of models. esc goes back to it, the marks still there."""

    MODE = "models"
    HEADING = "Models › compare"
    CSS_PATH = "models.tcss"
    AUTO_FOCUS = "VirtualTable"
    RELOAD = _RELOAD
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="compare.back", tooltip="Back to the table of models"),
        Binding("d", "differences", "differences", id="compare.differences", tooltip="Show only the rows in which the models differ, or all"),
    ]  # fmt: skip

    def __init__(self, refs: Sequence[str]) -> None:
        super().__init__()
        self.refs = tuple(refs)
        self.key_words: dict[str, str] = {}
        """Binding id → what the line of keys calls it now."""
        self._views: list[ModelView] = []
        self._known = Known(now=now_ms())
        self._lines: list[Line] = []
        self._only = False
        """Only what differs is shown."""
        self._table: VirtualTable[Line] = VirtualTable(
            _columns(len(refs)), key=lambda line: line.name, empty="Opening …", header=False, marks=False
        )

    def compose_body(self) -> ComposeResult:
        yield Static("", id="compared", markup=False)
        yield self._table

    async def _read(self) -> None:
        from services.model_records import model_records

        services = self.app.services
        try:
            views = [await services.models.get(ref) for ref in self.refs]
            records = await model_records(services)
            default = await services.models.default()
            rows = await services.registry.rows()
        except NotFoundError as error:  # its provider was deleted: there is less to compare
            self.app.tell_error(error)
            if self.is_current:
                self.app.pop_screen()
            return
        except SwitchroomError as error:
            self._table.set_empty(
                "They could not be read ({!:app.alerts} says why). {esc:compare.back} goes back."
            )
            self.app.tell_error(error)
            return
        off = frozenset(row.slug for row in rows if not row.enabled)
        self._views, self._known = views, Known(records, default, off, now_ms())
        discounts = {row.slug: float(row.discount_pct or 0) for row in rows}
        self._lines = compared(views, self._known, discounts)
        self._show()

    def _show(self) -> None:
        lines = [line for line in self._lines if line.differs or not self._only or line.name == "model"]
        if lines != list(self._table.rows):
            self._table.set_rows(lines)
        same = len(self._lines) - len(lines)
        hidden = f" · {count(same, 'row')} where all agree not shown" if same else ""
        self.query_one("#compared", Static).update(
            f"{count(len(self._views), 'model')} side by side · ✓ the best of its row{hidden}"
        )

    # -- keys ------------------------------------------------------------------------------------

    def copy_text(self) -> str | None:
        return "\n".join(self.refs)

    def exported(self) -> Exported | None:
        from tui.exporting import Exported

        return Exported("models", EXPORTED, [exported_row(view, self._known) for view in self._views])

    def interrupt(self) -> bool:
        return self.app.stop_work()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()

    def action_back(self) -> None:
        self.app.pop_screen()

    def action_differences(self) -> None:
        from tui.widgets.footer import KeyLine

        self._only = not self._only
        self.key_words = {"compare.differences": "all rows"} if self._only else {}
        self.query_one(KeyLine).look()
        self._show()
