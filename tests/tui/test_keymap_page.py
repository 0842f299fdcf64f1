"""Every binding has its dotted id, its words and its line in docs/keymap.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.binding import Binding

from tui import keymap

DOCS = Path(__file__).resolve().parents[2] / "docs" / "keymap.md"
ALL = [(heading, binding) for heading, bindings in keymap.tables() for binding in bindings]


def test_the_page_is_in_step_with_the_live_bindings() -> None:
    assert DOCS.read_text() == keymap.page(keymap.tables()), "run: python -m tui.keymap > docs/keymap.md"


@pytest.mark.parametrize(
    ("heading", "binding"), ALL, ids=lambda value: getattr(value, "id", None) or str(value)
)
def test_every_binding_has_id_words_and_tooltip(heading: str, binding: Binding) -> None:
    assert binding.id, f"{heading}: {binding.key}"
    assert "." in binding.id
    assert binding.description
    assert binding.tooltip


def test_ids_are_unique() -> None:
    ids = [binding.id for _, binding in ALL]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("chord", ["ctrl+m", "ctrl+i", "shift+enter", "alt+enter", "ctrl+q", "ctrl+s"])
def test_no_chord_that_terminals_do_not_pass_on(chord: str) -> None:
    used = {key.strip() for _, binding in ALL for key in binding.key.split(",")}
    assert chord not in used
    assert not any(key.startswith("alt+") for key in used)


@pytest.mark.parametrize(
    ("key", "label"),
    [("ctrl+p", "ctrl+p"), ("slash", "/"), ("escape", "esc"), ("f1", "F1"), ("D", "D"), ("down", "↓")],
)
def test_keys_are_written_as_people_write_them(key: str, label: str) -> None:
    assert keymap.key_label(key) == label
