"""The looks: a calm dark theme, a light one and one that uses only the terminal's own colours."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

from textual.theme import Theme

if TYPE_CHECKING:
    from services.paths import Paths

NAMES = ("dark", "light", "ansi")
"""What the setting `appearance.theme` takes."""


def _variables(dim: str, cursor: str, blurred: str, line: str, key: str) -> dict[str, str]:
    return {
        "dim": dim,
        "row-cursor": cursor,
        "row-blurred": blurred,
        "line": line,
        "key": key,
        "footer-key-foreground": key,
        "border": line,
        "border-blurred": line,
    }


DARK = Theme(
    name="dark",
    primary="#82aaff",
    secondary="#8fa3bf",
    accent="#e6b673",
    success="#8fc98a",
    warning="#e6b673",
    error="#ef7b83",
    foreground="#d5dbe5",
    background="#11151c",
    surface="#171c25",
    panel="#1d2430",
    dark=True,
    variables={
        **_variables("#76839a", "#29374d", "#1d2430", "#2b3444", "#e6b673"),
        "scrollbar": "#2f3a4c",
        "scrollbar-hover": "#44536c",
        "scrollbar-active": "#82aaff",
        "scrollbar-background": "#11151c",
        "scrollbar-background-hover": "#11151c",
        "scrollbar-background-active": "#11151c",
        "input-selection-background": "#82aaff 30%",
    },
)

LIGHT = Theme(
    name="light",
    primary="#1f5fa8",
    secondary="#56657a",
    accent="#8a5a00",
    success="#2b7a35",
    warning="#8a5a00",
    error="#b3261e",
    foreground="#20262e",
    background="#fbfbf9",
    surface="#f3f3ef",
    panel="#e9e9e3",
    dark=False,
    variables={
        **_variables("#6a7482", "#d3e2f5", "#e9e9e3", "#cfd3d8", "#8a5a00"),
        "scrollbar": "#c8ccd2",
        "scrollbar-background": "#fbfbf9",
        "scrollbar-background-hover": "#fbfbf9",
        "scrollbar-background-active": "#fbfbf9",
    },
)

ANSI = Theme(
    name="ansi",
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_cyan",
    accent="ansi_yellow",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    dark=True,
    variables={
        **_variables(
            "ansi_bright_black", "ansi_blue", "ansi_bright_black", "ansi_bright_black", "ansi_yellow"
        ),
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
        "input-cursor-background": "ansi_white",
        "input-cursor-foreground": "ansi_black",
        "input-selection-background": "ansi_blue",
        "scrollbar": "ansi_bright_black",
        "scrollbar-background": "ansi_default",
    },
)

THEMES = (DARK, LIGHT, ANSI)


def early_theme(paths: Paths | None) -> str:
    """The theme for the first frame, read without the settings loader, which would cost its time.

    Anything unreadable or unknown is `dark` here; the loader reports it properly a moment later.
    """
    name: object = os.environ.get("SWITCHROOM_APPEARANCE__THEME")
    if name is None and paths is not None:
        try:
            with paths.config_file.open("rb") as file:
                name = tomllib.load(file).get("appearance", {}).get("theme")
        except (OSError, ValueError, AttributeError):  # no TOML, or no UTF-8
            name = None
    return name if isinstance(name, str) and name in NAMES else "dark"
