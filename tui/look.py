"""What the picture is made of on this terminal and by these settings: theme, glyphs, movement, lines."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.filter import LineFilter

from tui.formatting import ASCII, width
from tui.terminal import theme_for

if TYPE_CHECKING:
    from rich.segment import Segment
    from textual.color import Color

    from services.settings_model import Appearance
    from tui.life import Life

_PLAIN_TERMINALS = ("linux", "vt100", "vt102", "vt220", "ansi", "cons25")
"""Terminals whose own font has no more than a few of our glyphs."""

_QUIET = str.maketrans(
    {
        **dict.fromkeys("▎▏▕│┃─━┌┐└┘├┤┬┴┼╭╮╰╯═║▔▁▂▃▄▅▆▇█░▒▓", " "),
        **dict.fromkeys("●◍◐◌◇○✕⊗⊘•▾▲▼", " "),
        "·": ",",
        "▌": ">",
    }
)
"""What a screen reader would read out and nobody wants to hear; the word beside a glyph stays."""


def plain_terminal(environ: Mapping[str, str]) -> bool:
    """True where only ASCII is sure to be drawn: another character set than UTF-8, or the Linux console.

    A locale that is not set at all says nothing. Python itself sets LC_CTYPE to C.UTF-8 where LANG is C.
    """
    if environ.get("TERM", "").partition("-")[0] in _PLAIN_TERMINALS:
        return True
    kind, language = environ.get("LC_CTYPE", ""), environ.get("LANG", "")
    if kind == "C.UTF-8" and language in ("C", "POSIX"):
        kind = ""
    said = environ.get("LC_ALL") or kind or language
    return bool(said) and "utf8" not in said.lower().replace("-", "")


def low_bandwidth(setting: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether to send fewer bytes: as the setting says, and over SSH where it leaves that to us."""
    return setting == "on" or (setting == "auto" and "SSH_CONNECTION" in environ)


class AsciiFilter(LineFilter):
    """Replaces our glyphs on their way to a terminal that has no font for them; `strict`: whatever is not ASCII."""

    def __init__(self, *, strict: bool = False) -> None:
        super().__init__()
        self._strict = strict

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        return [
            segment if segment.text.isascii() else segment._replace(text=self._plain(segment.text))
            for segment in segments
        ]

    def _plain(self, text: str) -> str:
        text = text.translate(ASCII)
        return text if not self._strict or text.isascii() else "".join(map(_ascii, text))


def _ascii(character: str) -> str:
    """The letter without its accents, else question marks, in as many cells."""
    if character.isascii():
        return character
    first = unicodedata.normalize("NFKD", character)[:1]
    cells = width(character)
    return first if first.isascii() and cells == 1 else "?" * cells


class QuietFilter(LineFilter):
    """Takes lines and signs away before they reach a screen reader."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        return [
            segment if segment.text.isascii() else segment._replace(text=segment.text.translate(_QUIET))
            for segment in segments
        ]


class Look:
    """Brings the app in step with its appearance settings, at the start and whenever they change."""

    def __init__(self, app: Life) -> None:
        self._app = app
        self._ours: list[LineFilter] = []
        self._wanted: tuple[bool, bool] = (False, False)
        self.screen_reader = False
        self._draw_with(plain_terminal(os.environ), reader=False)

    def take(self, appearance: Appearance) -> None:
        """Look like this from now on; what is the same already is not painted again."""
        app = self._app
        theme = theme_for(appearance.theme)
        if app.theme != theme:
            app.theme = theme
        app.animation_level = "full" if appearance.animations and not appearance.screen_reader else "none"
        self.screen_reader = appearance.screen_reader
        app.set_class(appearance.screen_reader, "-reader")
        plain = appearance.ascii == "on" or (appearance.ascii == "auto" and plain_terminal(os.environ))
        if self._draw_with(plain, reader=appearance.screen_reader):
            app.repaint()

    def _draw_with(self, plain: bool, *, reader: bool) -> bool:
        if (plain, reader) == self._wanted:
            return False
        self._wanted = (plain, reader)
        filters = self._app._filters  # noqa: SLF001 - Textual has no other way to add one
        filters[:] = [one for one in filters if one not in self._ours]
        self._ours = [QuietFilter()] if reader else []
        if plain:
            self._ours.append(AsciiFilter(strict=plain_terminal(os.environ)))
        filters.extend(self._ours)
        return True
