"""The settings as lines of a table: plain names, on which tab each stands, values and sources in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args, get_origin

from tui.formatting import Tone, cents
from tui.keymap import key_label
from tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from services.budgets import BudgetView
    from services.settings_edit import Preferences
    from tui.remap import Bound, Problem

TABS = ("General", "Defaults", "Offline", "Security", "Appearance", "Keys")
KEYS = "Keys"
MODEL = "chat.default_model"
"""Kept in the store and not in config.toml, like the limits."""
LIMITS = {"daily": "limit.daily", "monthly": "limit.monthly"}

Kind = Literal["switch", "choice", "number", "text", "model", "limit", "key"]

_NAMES: dict[str, tuple[tuple[str, str], ...]] = {
    "General": (
        ("discovery.at_start", "Look for providers at start"),
        ("sync.at_start", "Sync at start"),
        ("sync.concurrency", "Syncs at the same time"),
        ("sync.timeout", "Time for one sync"),
        ("retry.attempts", "Attempts for one run"),
        ("retry.initial_delay", "First wait before a retry"),
        ("retry.factor", "Growth of the waits"),
        ("retry.max_delay", "Longest wait"),
        ("retry.jitter", "Chance in the waits"),
        ("network.connect_timeout", "Time to connect"),
        ("network.first_event_timeout", "Time to the first words"),
        ("network.idle_timeout", "Silence within an answer"),
        ("network.total_timeout", "Time for a whole answer"),
        ("log.level", "What is logged"),
        ("discovery.loopback", "Look for servers on this machine"),
        ("account.pull", "Read the vendors' accounts"),
        ("account.every_hours", "Time between two readings"),
        ("catalog.refresh", "Ask for newer prices and models"),
        ("catalog.every_hours", "Time between two looks"),
        ("catalog.catwalk", "Catwalk's address"),
        ("catalog.modelsdev", "Address of models.dev"),
        ("catalog.genai", "Address of genai-prices"),
        ("catalog.openrouter", "Address of OpenRouter's list"),
    ),
    "Defaults": (
        ("chat.max_tokens", "Longest answer"),
        ("chat.temperature", "Temperature"),
        ("chat.exact_counts", "Vendors count prompts"),
        ("chat.tool_rounds", "Rounds of mocked tools"),
        ("budget.monthly_proposal", "Limit proposed when adding"),
    ),
    "Offline": (
        ("network.offline", "Offline"),
        ("network.offline_private", "Private networks while offline"),
    ),
    "Security": (
        ("security.backend", "Where new keys go"),
        ("security.vault_key_file", "File with the vault's passphrase"),
        ("security.read_only", "Read-only"),
        ("audit.interactions", "Record exchanges with providers"),
        ("network.tls_min", "Lowest TLS version"),
        ("network.proxy", "Proxy"),
        ("network.ca_file", "Private CA"),
    ),
    "Appearance": (
        ("appearance.theme", "Theme"),
        ("appearance.screen_reader", "Screen reader"),
        ("appearance.ascii", "ASCII only"),
        ("appearance.animations", "Animations"),
        ("appearance.low_bandwidth", "Low bandwidth"),
    ),
}
"""Tab → the settings on it in their order, each with its name for people."""
PLAIN = {name: (tab, title) for tab, names in _NAMES.items() for name, title in names}

_ADDRESSES = frozenset({"catalog.catwalk", "catalog.modelsdev", "catalog.genai", "catalog.openrouter"})
"""Settings whose default is a long address: the table says that it is the built-in one, editing shows it."""

_UNITS = {
    "sync.timeout": " s", "catalog.every_hours": " h", "account.every_hours": " h", "retry.initial_delay": " s", "retry.max_delay": " s", "network.connect_timeout": " s",
    "network.first_event_timeout": " s", "network.idle_timeout": " s", "network.total_timeout": " s",
    "chat.max_tokens": " tokens",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SettingLine:
    """One setting, or one action with its keys."""

    name: str
    """The dotted id; `keys.` and the action's id for keys."""
    tab: str
    title: str
    value: str
    default: str
    source: str
    """`default`, `config.toml`, a variable, or who chose it."""
    sentence: str
    kind: Kind
    takes: str = ""
    """What fits, in words."""
    choices: tuple[str, ...] = ()
    raw: object = None
    fixed: str = ""
    """The variable that fixes it; empty: it can be changed here."""
    note: str = ""
    """What is wrong, or when it acts."""
    bad: bool = False
    place: str = ""
    """Where an action is at home: `Everywhere`, `Chat`; empty for a setting."""

    @property
    def changed(self) -> bool:
        return self.source != "default"


def lines_of(preferences: Preferences) -> list[SettingLine]:
    """The settings of the file and the variables, tab by tab."""
    from services.settings_edit import NEXT_START

    views = {view.name: view for view in preferences.views()}
    found = []
    for name, (tab, title) in PLAIN.items():
        view = views[name]
        kind, choices, takes = _kind(name)
        note = "Asked for when the program starts." if name in NEXT_START else ""
        usual = words(name, view.default) if name not in _ADDRESSES else "built in"
        now = usual if view.value == view.default else words(name, view.value)
        found.append(
            SettingLine(
                name, tab, title, now, usual, view.source, view.sentence,
                kind, takes, choices, view.value, preferences.fixed_by(name) or "", note,
            )
        )  # fmt: skip
    return found


def _kind(name: str) -> tuple[Kind, tuple[str, ...], str]:
    """What a setting takes: as a kind, its choices, and in words."""
    from services.settings import kind_of

    kind, limits = kind_of(name)
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        return "choice", choices, f"{', '.join(choices[:-1])} or {choices[-1]}"
    if kind is bool:
        return "switch", (), "on or off"
    none = " or none" if type(None) in get_args(kind) else ""
    kinds = set(get_args(kind) or (kind,))
    if str in kinds:
        return "text", (), f"text{none}"
    return "number", (), f"{_range(limits, whole=int in kinds)}{none}"


def _range(limits: Mapping[str, float | None], *, whole: bool) -> str:
    low, high, above = limits["low"], limits["high"], limits["above"]
    said = "a whole number" if whole else "a number"
    if low is not None and high is not None:
        return f"{said} from {low:g} to {high:g}"
    if above is not None:
        said += f" above {above:g}"
    elif low is not None:
        said += f" from {low:g} up"
    return said if high is None else f"{said} up to {high:g}"


def words(name: str, value: object) -> str:
    """A value for people: `on`, `none`, `10 s`, `$50`."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return f"${value:g}" if name.startswith("budget.") else f"{value:g}{_UNITS.get(name, '')}"
    return str(value)


def model_line(present: str | None, chosen: object) -> SettingLine:
    """The model of new chats."""
    return SettingLine(
        MODEL, "Defaults", "Model for new chats", present or "none yet", "the first provider's",
        "chosen here" if chosen else "default", "The model a new chat begins with.", "model", "one of your models",
        raw=present,
    )  # fmt: skip


def limit_lines(budgets: Iterable[BudgetView]) -> list[SettingLine]:
    """What may be spent in all, a day and a month."""
    there = {view.period: view for view in budgets if view.scope == "global"}
    found = []
    for period, name in LIMITS.items():
        view = there.get(period)
        found.append(
            SettingLine(
                name, "Defaults", f"{period.capitalize()} limit", cents(view.limit) if view else "none", "none",
                "chosen here" if view else "default",
                f"What may be spent {'in a day' if period == 'daily' else 'in a month'} on all providers together; no run goes over it.",
                "limit", "an amount in USD or none", raw=view.limit if view else None,
            )
        )  # fmt: skip
    return found


def key_lines(
    actions: Mapping[str, Bound], keys: Mapping[str, str], problems: Iterable[Problem]
) -> list[SettingLine]:
    """Every action with its keys; what is wrong with them stands beside."""
    from tui.remap import present

    wrong = {problem.id: problem.words for problem in problems}
    found = []
    for action in actions.values():
        own = action.id in keys
        now = " ".join(map(key_label, present(action, keys))) or "none"
        found.append(
            SettingLine(
                f"keys.{action.id}", KEYS, action.what, now,
                " ".join(map(key_label, action.keys)), "config.toml" if own else "default",
                "", "key", "a key", note=wrong.get(action.id, ""), bad=action.id in wrong, place=action.place,
            )
        )  # fmt: skip
    found += [
        SettingLine(f"keys.{ident}", KEYS, ident, keys[ident], "none", "config.toml", "No action is called that.", "key",
                    note=wrong.get(ident, ""), bad=True)
        for ident in keys if ident not in actions
    ]  # fmt: skip
    return sorted(found, key=lambda line: not line.bad)


def search_text(line: SettingLine) -> str:
    """Where the filter looks."""
    more = "colour colors dark light" if line.name == "appearance.theme" else ""
    return f"{line.tab} {line.place} {line.title} {line.name} {line.value} {line.sentence} {line.note} {more}"


def columns(*, everywhere: bool, keys: bool = False) -> tuple[Column[SettingLine], ...]:
    """The table's columns; `everywhere` tells the tabs apart, `keys` is for the tab of the keys."""
    return (
        Column("tab", "where", lambda line: (line.tab if everywhere else line.place, "dim"), width=10, max_width=22, optional=True, priority=1),
        Column("title", "action" if keys else "setting", lambda line: line.title, width=18, max_width=26 if keys else 44, flex=int(keys)),
        Column("value", "now", _value, width=6, max_width=26, cut="middle"),
        Column("default", "default", lambda line: (line.default, "dim"), width=7, max_width=20, priority=3),
        Column("source", "from", _source, width=11, max_width=24, cut="middle", priority=2),
Column("sentence", "id" if keys else "what it does", lambda line: (_sentence(line), "dim"), width=20 if keys else 24, max_width=26 if keys else 0, flex=int(not keys), priority=4),
    )  # fmt: skip


def _value(line: SettingLine) -> Cell:
    tone: Tone = "bad" if line.bad else "accent" if line.changed else ""
    return line.value, tone


def _source(line: SettingLine) -> Cell:
    return (line.source, "warn") if line.fixed else (line.source, "" if line.changed else "dim")


def _sentence(line: SettingLine) -> str:
    if line.kind == "key":
        return line.note or line.name.removeprefix("keys.")
    return line.sentence
