"""Keys of the user's own: how they may be written, what they are put on, and what is wrong with them."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from textual.app import App
from textual.binding import Binding
from textual.keys import REPLACED_KEYS, Keys, key_to_character
from textual.screen import ModalScreen, Screen

from tui import keymap
from tui.keymap import UNBOUND, key_label

_WRITTEN = {
    "esc": "escape", "pgup": "pageup", "pgdn": "pagedown", "pgdown": "pagedown", "del": "delete", "ins": "insert",
    "return": "enter", "↑": "up", "↓": "down", "←": "left", "→": "right", "f1": "f1",
}  # fmt: skip
_NAMED = frozenset((*(key.value for key in Keys), *REPLACED_KEYS, *keymap.NAMES))
_WITHIN = {"Prompt": "Chat", "Answers": "Chat"}
"""Widgets that live on one screen only, by heading."""
_ON_EVERY_SCREEN = ("Everywhere", "Tables", "Charts")


@dataclass(frozen=True, slots=True)
class Bound:
    """One action that has an id, and the keys it comes with."""

    id: str
    place: str
    """The heading it stands under in the keymap."""
    what: str
    keys: tuple[str, ...]
    near: int
    """How near to the fingers it is: 0 the widget that has the focus, 1 the screen, 2 the app; -1 before all others."""
    window: bool
    """It belongs to a window, over which nothing else acts."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with the keys of the settings."""

    id: str
    words: str
    hint: str = ""


def normalized(keys: str) -> tuple[str, ...]:
    """Keys as people write them, as Textual names them: `A, ctrl+B, /, esc` → `A`, `ctrl+b`, `slash`, `escape`."""
    if keys.strip() == ",":
        return ("comma",)
    return tuple(_named(key.strip()) for key in keys.split(",") if key.strip())


def _named(key: str) -> str:
    *modifiers, name = (
        key.split("+") if key != "+" and not key.endswith("++") else (*key[:-2].split("+"), "+")
    )
    modifiers = [modifier.lower() for modifier in modifiers if modifier]
    name = _WRITTEN.get(name.lower(), name)
    if len(name) == 1:
        if not name.isalnum():
            name = next((ours for ours, shown in keymap.NAMES.items() if shown == name), "") or _unicode(name)
        elif modifiers:
            name = name.lower()
    elif name[:1] in "fF" and name[1:].isdigit():
        name = name.lower()
    return "+".join([*modifiers, name])


def _unicode(character: str) -> str:
    name = unicodedata.name(character, character)
    return name.lower().replace("-", "_").replace(" ", "_")


def unsent(key: str) -> str | None:
    """Why pressing this key would not reach us, in words; None when it does."""
    *modifiers, name = key.split("+")
    held = set(modifiers)
    if held - {"ctrl", "alt", "shift"} or (not name or (len(name) > 1 and not _is_key(name))):
        return "no key is called that"
    if held == {"ctrl"} and name in ("m", "i", "left_square_bracket", "h"):
        same = {"m": "enter", "i": "tab", "h": "backspace"}.get(name, "esc")
        return f"terminals send {same} for it"
    if held == {"ctrl"} and name in ("s", "q"):
        return "many terminals stop and start their output with it"
    if "alt" in held and name.isdigit():
        return "terminals and tmux keep it for themselves, or send another character"
    if held and name == "enter":
        return "tmux and most terminals send plain enter for it"
    if "ctrl" in held and (name.isdigit() or "shift" in held):
        return "most terminals do not send it"
    if held == {"shift"} and len(name) == 1:
        return f"write {name.upper()} instead"
    return None


def _is_key(name: str) -> bool:
    return name in _NAMED or key_to_character(name) is not None


def keymap_of(keys: Mapping[str, str]) -> dict[str, str]:
    """What `App.set_keymap` takes. Textual cannot take a key away: such an action gets one that nobody can press."""
    return {action: ",".join(normalized(text)) or f"{UNBOUND}.{action}" for action, text in keys.items()}


def bound() -> dict[str, Bound]:
    """Every action that has an id. Imports every screen: not for the first paint."""
    found: dict[str, Bound] = {}
    for heading, target in keymap.BOUND:
        try:
            cls = keymap.load(target)
        except ModuleNotFoundError:
            continue
        near = 2 if issubclass(cls, App) else 1 if issubclass(cls, Screen) else 0
        for binding in keymap.own_bindings(cls):
            if binding.id is not None and binding.id not in found:
                found[binding.id] = _bound(binding, heading, near, window=issubclass(cls, ModalScreen))
    return found


def _bound(binding: Binding, heading: str, near: int, *, window: bool) -> Bound:
    keys = normalized(binding.key)
    return Bound(
        binding.id or "", heading, binding.tooltip or binding.description, keys,
        -1 if binding.priority else near, window,
    )  # fmt: skip


def present(action: Bound, keys: Mapping[str, str]) -> tuple[str, ...]:
    """The keys an action has now."""
    return normalized(keys[action.id]) if action.id in keys else action.keys


def meet(one: Bound, other: Bound) -> bool:
    """True when both can be reached at the same moment, so that one key for both is one too many."""
    places = {_WITHIN.get(one.place, one.place), _WITHIN.get(other.place, other.place)}
    if one.window or other.window:
        return one.window and other.window and (len(places) == 1 or "Windows" in places)
    return len(places) == 1 or bool(places & set(_ON_EVERY_SCREEN))


def clashes(action: Bound, key: str, actions: Iterable[Bound], keys: Mapping[str, str]) -> list[Bound]:
    """The other actions that would answer to this key where this one does."""
    return [
        other
        for other in actions
        if other.id != action.id
        and key in present(other, keys)
        and not (key in action.keys and key in other.keys)  # shared from the beginning, and meant so
        and meet(action, other)
    ]


def problems(actions: Mapping[str, Bound], keys: Mapping[str, str]) -> list[Problem]:
    """Names nobody knows, keys that no terminal sends, and keys that two actions of one place share."""
    found = list(_each(actions, keys))
    told: set[frozenset[str]] = set()
    for ident in keys:
        action = actions.get(ident)
        for key in present(action, keys) if action else ():
            for other in clashes(action, key, actions.values(), keys) if action else ():
                pair = frozenset((ident, other.id))
                if action is not None and pair not in told:
                    told.add(pair)
                    found.append(_clash(action, other, key, keys))
    return found


def _each(actions: Mapping[str, Bound], keys: Mapping[str, str]) -> Iterator[Problem]:
    for ident, text in keys.items():
        if ident not in actions:
            close = difflib.get_close_matches(ident, list(actions), n=1, cutoff=0.5)
            hint = (
                f"Did you mean {close[0]}?"
                if close
                else "{0:mode.settings}, then the Keys tab lists every action"
            )
            yield Problem(ident, f"There is no action {ident} to give a key to.", hint)
            continue
        for key in normalized(text):
            if (reason := unsent(key)) is not None:
                yield Problem(
                    ident,
                    f"{key_label(key)} for {ident}: {reason}.",
                    "{0:mode.settings}, then the Keys tab gives it another",
                )


def _clash(action: Bound, other: Bound, key: str, keys: Mapping[str, str]) -> Problem:
    first = action if _rank(action, keys) <= _rank(other, keys) else other
    second = other if first is action else action
    words = f"{key_label(key)} is for {action.id} and for {other.id}: {first.id} wins, {second.id} is not reached."
    return Problem(action.id, words, "{0:mode.settings}, then the Keys tab gives one of them another")


def _rank(action: Bound, keys: Mapping[str, str]) -> tuple[int, bool]:
    """Who answers first: what is nearest to the fingers; of two on one screen, the one whose key was chosen."""
    return action.near, action.id not in keys
