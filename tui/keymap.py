"""Which keys there are: the modes and their digits, how a key is written for people, and the keymap page."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Mode:
    """One of the ten places of the program."""

    name: str
    digit: str
    title: str
    screen: str
    """`module:Class` of the screen, imported when the mode is first entered."""


MODES: tuple[Mode, ...] = (
    Mode("overview", "1", "Overview", "tui.screens.overview:OverviewScreen"),
    Mode("providers", "2", "Providers", "tui.screens.providers:ProvidersScreen"),
    Mode("models", "3", "Models", "tui.screens.models:ModelsScreen"),
    Mode("sync", "4", "Sync", "tui.screens.sync:SyncScreen"),
    Mode("usage", "5", "Usage", "tui.screens.usage:UsageScreen"),
    Mode("chat", "6", "Chat", "tui.screens.chat:ChatScreen"),
    Mode("audit", "9", "Audit", "tui.screens.audit:AuditScreen"),
    Mode("settings", "0", "Settings", "tui.screens.settings:SettingsScreen"),
)
"""The modes that exist, in the order of their digits."""

BOUND: tuple[tuple[str, str], ...] = (
    ("Everywhere", "tui.app:SwitchroomApp"),
    ("Everywhere", "tui.screens.base:ModeScreen"),
    ("Tables", "tui.widgets.table:VirtualTable"),
    ("Tables", "tui.widgets.filter_bar:FilterBar"),
    ("Charts", "tui.widgets.chart:Chart"),
    ("Overview", "tui.screens.overview:OverviewScreen"),
    ("Providers", "tui.screens.providers:ProvidersScreen"),
    ("Provider detail", "tui.screens.provider_detail:ProviderDetail"),
    ("Marketplace", "tui.screens.marketplace:Marketplace"),
    ("Testing a new provider", "tui.screens.provider_trial:Trial"),
    ("Signing in", "tui.modals.sign_in:SignIn"),
    ("Models", "tui.screens.models:ModelsScreen"),
    ("Model detail", "tui.screens.model_detail:ModelDetail"),
    ("Models side by side", "tui.screens.model_compare:ModelCompare"),
    ("Recommended models", "tui.screens.model_recommend:ModelRecommend"),
    ("Asking models what they can do", "tui.screens.model_probe:ProbeWindow"),
    ("Answers of the models", "tui.screens.model_probe_results:ProbeResults"),
    ("Installed models", "tui.screens.local_models:LocalModelsScreen"),
    ("Sync", "tui.screens.sync:SyncScreen"),
    ("Sync detail", "tui.screens.sync_detail:SyncDetail"),
    ("Catalog changes", "tui.screens.catalog_changes:CatalogChanges"),
    ("Usage", "tui.screens.usage:UsageScreen"),
    ("Why the cost differs", "tui.screens.usage_dialogs:WhyWindow"),
    ("Runs of one row", "tui.screens.usage_runs:UsageRuns"),
    ("One run", "tui.screens.run_detail:RunDetail"),
    ("Chat", "tui.screens.chat:ChatScreen"),
    ("Prompt", "tui.widgets.prompt:PromptBox"),
    ("Answers", "tui.widgets.transcript:Transcript"),
    ("Conversations", "tui.modals.chat_list:ChatList"),
    ("Model picker", "tui.modals.model_picker:ModelPicker"),
    ("Audit", "tui.screens.audit:AuditScreen"),
    ("One audit record", "tui.screens.audit_record:AuditRecord"),
    ("Settings", "tui.screens.settings:SettingsScreen"),
    ("Windows", "tui.modals.base:Modal"),
    ("Lists", "tui.modals.pick:Pick"),
    ("Translation or transcript", "tui.screens.task:TaskWindow"),
    ("Palette", "tui.modals.palette:Palette"),
    ("Questions", "tui.modals.confirm:Confirm"),
    ("Questions", "tui.modals.ask:Ask"),
    ("Forms", "tui.modals.form:Form"),
    ("One message", "tui.modals.alerts:AlertDetail"),
    ("Terminal too small", "tui.modals.too_small:TooSmall"),
)
"""Where bindings live, by the heading they stand under in the keymap page."""

NAMES = {
    "slash": "/", "question_mark": "?", "exclamation_mark": "!", "colon": ":", "left_square_bracket": "[",
    "right_square_bracket": "]", "escape": "esc", "pageup": "pgup", "pagedown": "pgdn", "full_stop": ".",
    "less_than_sign": "<", "greater_than_sign": ">", "number_sign": "#", "plus": "+", "minus": "-", "backslash": "\\", "asterisk": "*",
    "up": "↑", "down": "↓", "left": "←", "right": "→",
}  # fmt: skip


UNBOUND = "unbound"
"""Begins the name of the key of an action that has none."""


def key_label(key: str) -> str:
    """A key as people write it: `ctrl+p`, `/`, `esc`, `F1`, `D`; empty for no key."""
    if key.startswith(UNBOUND):
        return ""
    *modifiers, name = key.split("+")
    label = NAMES.get(name, name)
    if len(name) in (2, 3) and name[0] == "f" and name[1:].isdigit():
        label = name.upper()
    elif name.startswith("upper_"):
        label = name[-1].upper()
    return "+".join([*modifiers, label])


def load(target: str) -> type:
    """The class a `module:Class` names."""
    module, _, name = target.partition(":")
    found = getattr(importlib.import_module(module), name)
    if not isinstance(found, type):
        raise TypeError(target)
    return found


def own_bindings(cls: type) -> list[Binding]:
    """The bindings a class declares itself, one per declared binding (not per key)."""
    return [item for item in cls.__dict__.get("BINDINGS", ()) if isinstance(item, Binding)]


def tables() -> Iterator[tuple[str, list[Binding]]]:
    """(heading, bindings) of everything that exists, read from the classes that act on them."""
    grouped: dict[str, list[Binding]] = {}
    for heading, target in BOUND:
        try:
            cls = load(target)
        except ModuleNotFoundError:
            continue
        grouped.setdefault(heading, []).extend(own_bindings(cls))
    yield from grouped.items()


def page(groups: Iterable[tuple[str, list[Binding]]]) -> str:
    """The keymap page as Markdown."""
    lines = [
        "# Keys",
        "",
        "Generated from the live bindings by `python -m tui.keymap > docs/keymap.md`; a test keeps it in step.",
        "In the program `?` shows the keys that work where you are. Each can be changed: `0`, then the Keys tab, or by its id in",
        "`config.toml` (an empty text takes the key away):",
        "",
        "```toml",
        "[keys]",
        '"providers.add" = "A, ctrl+b"',
        "```",
    ]
    for heading, bindings in groups:
        if not bindings:
            continue
        lines += ["", f"## {heading}", "", "| key | what it does | id |", "|---|---|---|"]
        for binding in bindings:
            keys = " ".join(f"`{_cell(key_label(key.strip()))}`" for key in binding.key.split(","))
            lines.append(f"| {keys} | {_cell(binding.tooltip or binding.description)} | `{binding.id}` |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page(tables()))
