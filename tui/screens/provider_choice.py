"""What a provider can be added as: a vendor of the catalog, or an address of the user's own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from textual.app import ComposeResult
from textual.widgets import Input, Static

from catalog.names import example
from catalog.plaintext import one_line
from tui.modals.pick import Pick
from tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from catalog.lookup import Catalog
    from catalog.types import ProviderSpec
    from services.discovery_views import Finding

_ADDRESS = re.compile(r"https?://\S+|(localhost|\d+(\.\d+){3}|[\w.-]+:\d{2,5})(:\d+)?(/\S*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Choice:
    """A line of the first window: a vendor, or (without `spec`) an address of the user's own."""

    spec: ProviderSpec | None
    found: Finding | None = None
    """What the environment surely holds for the vendor."""

    @property
    def id(self) -> str:
        return self.spec.id if self.spec else ""

    @property
    def variable(self) -> str:
        """The environment variable that already holds a key; empty when none does."""
        return self.found.key_name if self.found is not None else ""

    @property
    def endpoint(self) -> str:
        """Where it is, as far as one knows."""
        if self.spec is None:
            return ""
        if self.found is not None and self.found.endpoint:
            return self.found.endpoint
        return self.spec.endpoint

    @property
    def obstacle(self) -> str:
        """Why it cannot be added now; empty: it can."""
        if self.spec is None:
            return ""
        from services.marketplace import obstacle

        return obstacle(self.spec)


def choices(catalog: Catalog, found: Mapping[str, Finding]) -> list[Choice]:
    """Every vendor and “other”: those with a key in the environment first, those that cannot be added yet last."""
    vendors = [Choice(spec, found.get(spec.id)) for spec in catalog.specs()]
    vendors.sort(key=lambda choice: (bool(choice.obstacle), not choice.variable))
    return [*vendors, Choice(None)]


def variable_for(choice: Choice, url: str | None) -> str:
    """The variable whose key belongs to this address (None: where the variables say); empty where it is another's."""
    if choice.found is None or choice.spec is None or url is None:
        return choice.variable
    from catalog.detect import detect, normalise_base_url

    here, there = urlsplit(normalise_base_url(url)), urlsplit(choice.found.endpoint)
    if (here.scheme, here.hostname, here.port) == (there.scheme, there.hostname, there.port):
        return choice.variable
    seen = detect(url)
    its_own = here.scheme == "https" and (seen.confidence, seen.catalog_id) == ("high", choice.spec.id)
    return choice.variable if its_own and not choice.found.address_name else ""


class ChooseVendor(Pick[Choice]):
    """The first window of the wizard. A vendor that cannot be added yet says so and is not taken."""

    def __init__(self, lines: Sequence[Choice], start: str | None) -> None:
        columns: tuple[Column[Choice], ...] = (
            Column("name", "", _name, width=20, max_width=34),
            Column("kind", "", _kind, width=20, max_width=44),
            Column(
                "endpoint",
                "",
                lambda c: (example(c.endpoint), "dim"),
                width=16,
                flex=1,
                priority=1,
                cut="middle",
            ),
        )
        super().__init__(
            "Add a provider: which one?", columns, lines,
            key=lambda c: c.id,
            search=lambda c: f"{c.id} {c.spec.name} {c.endpoint}" if c.spec else "other paste base url address",
            placeholder="type to filter, or paste the address of a server",
            keep_last=True, best_first=True,
            start=start,
        )  # fmt: skip

    def compose_body(self) -> ComposeResult:
        yield from super().compose_body()
        yield Static("", markup=False, classes="problem")

    def on_input_changed(self, event: Input.Changed) -> None:
        self.query_one(".problem", Static).update("")
        super().on_input_changed(event)

    def action_choose(self) -> None:
        row = self._table.cursor_row
        if row is not None and row.spec is not None and row.obstacle:
            words = f"{one_line(row.spec.name)} cannot be connected yet: {row.obstacle}."
            self.query_one(".problem", Static).update(words)
        else:
            super().action_choose()


def _name(choice: Choice) -> Cell:
    if choice.spec is None:
        return "Other: paste a base URL", "accent"
    return one_line(choice.spec.name), "dim" if choice.obstacle else ""


def _kind(choice: Choice) -> Cell:
    if choice.spec is None:
        return "any compatible server", "dim"
    if choice.obstacle:
        from services.marketplace import brief_obstacle

        return f"◌ {brief_obstacle(choice.spec)}", "dim"
    if choice.variable:
        return f"● key found in {choice.variable}", "ok"
    if choice.spec.dialect == "azure":
        return "with a key or a sign-in", "dim"
    return ("on your own machine", "dim") if choice.spec.local else ("with a key", "dim")


def is_address(text: str) -> bool:
    """True for what was pasted into the filter and can only be an address."""
    return _ADDRESS.fullmatch(text.strip()) is not None


def spoken_there(plugged: Sequence[str]) -> list[tuple[str, str]]:
    """What an unknown address may speak, the likeliest first: (dialect, words)."""
    return [
        ("openai", "As OpenAI does: most servers and proxies"),
        *((name, f"The dialect {one_line(name, 40)}, of an installed plug-in") for name in plugged),
        ("anthropic", "As Anthropic does"),
        ("gemini", "As Google's Gemini does"),
        ("ollama", "As Ollama does"),
    ]
