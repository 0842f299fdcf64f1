"""The Settings mode: every setting with its sentence, its default and where its value comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from catalog.errors import SwitchroomError
from tui.exporting import Exported
from tui.screens import settings_changes as changes
from tui.screens.base import ModeScreen
from tui.screens.settings_lines import (
    KEYS,
    TABS,
    SettingLine,
    columns,
    key_lines,
    limit_lines,
    lines_of,
    model_line,
    search_text,
)
from tui.widgets.filter_bar import FilterBar
from tui.widgets.table import VirtualTable
from tui.widgets.tabs_line import TabsLine

if TYPE_CHECKING:
    from services.container import Services

_RELOAD = frozenset({"SettingsChanged", "BudgetsChanged", "ProvidersChanged", "ModelsChanged", "StoreChangedElsewhere"})  # fmt: skip


class _Filter(FilterBar):
    """Looks on every tab while it is open."""

    def clear(self) -> None:
        found = self._table.cursor_key if self._table.filter else None
        super().clear()
        screen = self.screen
        assert isinstance(screen, SettingsScreen)
        if found is None:
            screen.show_tab()
        else:
            screen.go_to(found)


class SettingsScreen(ModeScreen):
    """All settings, a tab for each subject."""

    MODE = "settings"
    HEADING = "Settings"
    CSS_PATH = "settings.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "change", "change", id="settings.change", tooltip="Change the setting, or press a new key for the action"),
        Binding("u", "default", "back to default", id="settings.default", tooltip="Put the default back"),
        Binding("x", "no_key", "no key", id="settings.no_key", tooltip="Take the action's keys away"),
        Binding("slash", "filter", "find", id="settings.filter", tooltip="Find a setting on any tab"),
        Binding("right_square_bracket", "tab(1)", "next tab", id="settings.next_tab", tooltip="Next tab"),
        Binding("left_square_bracket", "tab(-1)", "tab before", show=False, id="settings.previous_tab", tooltip="Previous tab"),
        Binding("escape", "clear", "clear", show=False, id="settings.clear", tooltip="Clear the filter"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[SettingLine, ...] = ()
        self._keys: tuple[SettingLine, ...] = ()
        self._everywhere = False
        self._wanted: str | None = None
        self._places: dict[str, str] = {}
        """Tab → the line the cursor was left on."""
        self._table: VirtualTable[SettingLine] = VirtualTable(
            columns(everywhere=False),
            key=lambda line: line.name,
            search=search_text,
            empty="Reading the settings …",
            no_match="No setting has these words. {esc:settings.clear} shows all.",
            marks=False,
        )
        self._filter = _Filter(self._table)

    def compose_body(self) -> ComposeResult:
        yield TabsLine(TABS)
        yield self._filter
        yield self._table
        yield Static("", markup=False, id="setting-detail")

    async def services_ready(self, services: Services) -> None:  # noqa: ARG002
        await self._load()
        self._table.focus()

    def feed_event(self, event: object) -> None:
        if type(event).__name__ in _RELOAD and self.is_mounted:
            self.run_worker(self._load, exclusive=True, group="load", exit_on_error=True)  # type: ignore[arg-type]

    async def _load(self) -> None:
        services = self.app.services
        try:
            settings = lines_of(services.preferences)
            chosen = await services.state.get("default_model")
            model = model_line(await services.models.default(), chosen)
            limits = limit_lines(await services.budgets.list())
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        order = {tab: place for place, tab in enumerate(TABS)}
        lines = tuple(sorted((model, *limits, *settings), key=lambda line: order[line.tab]))
        keys = await self._key_lines() if self._keys or self._tab == KEYS else ()
        if (lines, keys) != (self._lines, self._keys):
            self._lines, self._keys = lines, keys
            self._show()

    async def _key_lines(self) -> tuple[SettingLine, ...]:
        own = self.app.own_keys
        problems = await own.check()
        return tuple(key_lines(await own.actions(), self.app.services.settings.keys, problems))

    # -- what is shown ---------------------------------------------------------------------------

    @property
    def _tab(self) -> str:
        return TABS[self.query_one(TabsLine).place]

    def _show(self) -> None:
        every = (*self._lines, *self._keys)
        self._table.set_rows(every if self._everywhere else [line for line in every if line.tab == self._tab])
        if self._wanted is not None and self._table.go_to(self._wanted):
            self._wanted = None
        self._say()
        self.refresh_bindings()

    def show_tab(self) -> None:
        """The lines of the present tab, and nothing filtered."""
        self._everywhere = False
        self._table.columns = columns(everywhere=False, keys=self._tab == KEYS)
        left, wanted = self._places.get(self._tab), self._wanted
        self._show()
        if wanted is None and (left is None or not self._table.go_to(left)):
            self._table.action_first()
        if self._tab == KEYS and not self._keys:
            self._table.set_empty("Reading the keys …")
            if self.app.opened:  # else they come with all the rest
                self._read_keys()
        self.refresh_bindings()

    def go_to(self, name: str) -> None:
        """Put the cursor on a setting, on its tab."""
        from tui.screens.settings_lines import PLAIN

        tab = KEYS if name.startswith("keys.") else PLAIN.get(name, ("Defaults", ""))[0]
        self.query_one(TabsLine).place = TABS.index(tab)
        self._places.pop(tab, None)
        self._wanted = name
        if self._table.filter:
            self._table.set_filter("")
            self._filter.clear()
        self.show_tab()
        self._table.focus()

    def _read_keys(self) -> None:
        async def read() -> None:
            self._keys = await self._key_lines()
            self._show()

        self.run_worker(read(), group="keys", exclusive=True)

    def _say(self) -> None:
        line = self._table.cursor_row
        self.query_one("#setting-detail", Static).update("" if line is None else _detail(line))

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        if event.key is not None and not self._everywhere:
            self._places[self._tab] = event.key
        self._say()
        self.refresh_bindings()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.action_change()

    # -- keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        line = self._table.cursor_row
        if action == "no_key":
            return line is not None and line.kind == "key"
        if action == "default":
            return line is not None and line.changed
        return True

    def action_change(self) -> None:
        if (line := self._table.cursor_row) is not None:
            self.app.do(changes.change(self.app, line))

    def action_default(self) -> None:
        if (line := self._table.cursor_row) is not None:
            self.app.do(changes.back(self.app, line))

    def action_no_key(self) -> None:
        if (line := self._table.cursor_row) is not None:
            self.app.do(changes.without_key(self.app, line))

    def action_filter(self) -> None:
        if not self._everywhere:
            self._everywhere = True
            self._table.columns = columns(everywhere=True)
            self._show()
            if not self._keys and self.app.opened:
                self._read_keys()
        self._filter.open()

    def action_clear(self) -> None:
        self._filter.clear()

    def action_tab(self, by: int) -> None:
        if self._everywhere:
            self._table.set_filter("")
            self._filter.clear()
        self.query_one(TabsLine).step(by)
        self.show_tab()

    def copy_text(self) -> str | None:
        line = self._table.cursor_row
        return line.name if line else None

    def exported(self) -> Exported | None:
        fields = ("name", "value", "default", "source", "sentence")
        rows = [{field: getattr(line, field) for field in fields} for line in (*self._lines, *self._keys)]
        return Exported("settings", fields, rows)


def _detail(line: SettingLine) -> Content:
    """All about one setting, in the lines under the table."""
    ident = line.name.removeprefix("keys.")
    where = f" · {line.place}" if line.place else ""
    spans = [
        (line.title, "bold"),
        ("  ", ""),
        (ident + where, "$dim"),
        ("\n", ""),
        *([(line.sentence, ""), ("\n", "")] if line.sentence else []),
    ]
    if line.fixed:
        spans.append((f"Fixed by {line.fixed}: take it away there to change it here.", "$warning"))
    else:
        takes = f"takes {line.takes} · " if line.takes and line.kind != "key" else ""
        where = line.source if line.source == "chosen here" else f"from {line.source}"
        now = f" · now {line.value}, {where}" if line.changed else ""
        spans.append((f"{takes}default {line.default}{now}", "$dim"))
    if line.note:
        spans += [("\n", ""), (line.note, "$error" if line.bad else "$accent")]
    return Content.assemble(*spans)
