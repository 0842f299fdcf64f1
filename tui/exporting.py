"""How what is shown leaves the program: as CSV, JSON or JSON lines, in a file of the user's choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.app import SwitchroomApp


@dataclass(frozen=True, slots=True)
class Exported:
    """What `X` writes."""

    name: str
    """The file's name without its ending: `models`, `usage-by-provider`."""
    fields: tuple[str, ...]
    rows: Sequence[Mapping[str, object]]
    """Plain values: str, int, Decimal, bool or None."""


async def export(app: SwitchroomApp, what: Exported) -> None:
    """Ask for the file (its ending chooses the format) and write it."""
    app.tell(f"{what.name} cannot be written yet.", tone="dim")
