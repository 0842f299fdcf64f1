"""The Overview's panels that are no tables: the money, and the welcome where nothing is set up yet."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from tui.formatting import bar, cents, cut_middle, width

if TYPE_CHECKING:
    from services.discovery_views import Report
    from services.overview import Spend
    from services.projection import Projection
    from services.usage_limits import LimitStanding
    from tui.screens.provider_choice import Choice

Span = tuple[str, str]
_WORDS = {"measured": "measured", "estimated": "estimated", "own": "on own hardware", "unknown": "unknown"}
_BRIEF = {"measured": "measured", "estimated": "est.", "own": "own", "unknown": "unkn."}
_METER = 10
_INDENT = re.compile(r"  +(?:[^\sA-Z] +)?")
"""What a line begins with, a glyph or a key among it."""
_LEAST_WORDS = 20


class Panel(Vertical):
    """A titled part of the screen; the one whose keys work now begins its title with ▸, with and without colour."""

    def __init__(self, title: str, *children: Widget, id: str) -> None:  # noqa: A002
        super().__init__(*children, id=id, classes="panel")
        self._title, self._here = title, False
        self.call(title)

    def call(self, title: str) -> None:
        """Give it this title from now on."""
        self._title = title
        self.border_title = f"▸ {title}" if self._here else title

    def on_descendant_focus(self) -> None:
        self._here = True
        self.call(self._title)

    def on_descendant_blur(self) -> None:
        self._here = False
        self.call(self._title)


class SpendPanel(Widget):
    """What was spent today and this month, of what limit, and what the month will come to."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "SpendPanel { height: 4; }"

    def __init__(self) -> None:
        super().__init__()
        self._spend: Spend | None = None

    def show(self, spend: Spend) -> None:
        """Draw this from now on; what is equal is not painted again."""
        if spend != self._spend:
            self._spend = spend
            self.refresh()

    def render(self) -> Content:
        spend = self._spend
        if spend is None:
            return Content("")
        cells = self.size.width
        lines = [
            _line("today", spend.today, spend.limit("daily"), cells),
            _line("month", spend.month, spend.limit("monthly"), cells),
            _heading(spend.projection),
            _known(spend.grades, cells),
        ]
        single = [one for one in spend.limits if one.budget.scope != "global"]
        lines += [_single(one, cells) for one in single[: max(0, self.size.height - len(lines))]]
        return Content.assemble(*(part for line in lines for part in (*line, ("\n", ""))))


def _line(word: str, spent: Decimal | None, limit: Decimal | None, cells: int) -> list[Span]:
    """`today   $1.42 of $5.00  ▇▇▇░░ 28%`."""
    spans = [(f"{word}  ", "$dim"), (cents(spent).rjust(8), "bold")]
    if limit is None:
        return [*spans, ("  no limit", "$dim")]
    spans.append((f" of {cents(limit).removesuffix('.00')}".ljust(11), ""))
    if spent is None:  # runs were made, and what they cost is not known
        return spans
    share = float(spent / limit) if limit else 1.0
    tone = _tone(share)
    meter = min(_METER, cells - 33)
    if meter >= 3:
        spans.append((f" {bar(share, meter)}", tone))
    return [*spans, (f" {share:.0%}", tone)]


def _single(standing: LimitStanding, cells: int) -> list[Span]:
    """A provider's own limit: `anthropic, month  $52.46 of $60  87%`."""
    budget = standing.budget
    between = " of " if cells >= 40 else "/"
    words = f"{cents(budget.spent)}{between}{cents(budget.limit).removesuffix('.00')}"
    period = "month" if budget.period == "monthly" else "day"
    label = cut_middle(budget.scope.removeprefix("provider:"), max(6, cells - width(words) - 15))
    return [(f"{label}, {period}  ", "$dim"), (words, ""), (f"  {standing.share:.0%}", _tone(standing.share))]


def _tone(share: float) -> str:
    return "$error" if share >= 1 else "$warning" if share >= 0.8 else "$success"


def _heading(projection: Projection | None) -> list[Span]:
    if projection is None:
        return [("Nothing spent yet to project from.", "$dim")]
    close = projection.high - projection.low < 4
    low, high = (cents(end) if close else f"${end:,.0f}" for end in (projection.low, projection.high))
    return [("on track for ", "$dim"), (cents(projection.month), "bold"), (f" ({low}–{high})", "$dim")]


def _known(grades: tuple[tuple[str, float], ...], cells: int) -> list[Span]:
    """How the cost of the month's runs is known, in words as long as there is room for."""
    if not grades:
        return [("No run this month yet.", "$dim")]
    for words, between in ((_WORDS, ", "), (_BRIEF, " ")):
        text = between.join(f"{_share(share)} {words[name]}" for name, share in grades)
        if width(text) <= cells:
            break
    return [(text, "$dim")]


def _share(share: float) -> str:
    return "<1%" if 0 < share < 0.005 else ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


def welcome(found: list[Choice], report: Report | None = None, problem: str = "") -> Content:
    """What stands in place of the panels as long as there is no provider."""
    from tui.screens.discovered_words import found_lines

    spans: list[Span] = [
        ("Welcome to Switchroom\n", "bold $primary"),
        ("The control room for LLM providers: their keys, models, speed and cost in one place.\n\n", ""),
    ]
    here = found_lines(report) if report is not None else []
    spans += here or [
        (
            "Nothing is set up yet. Add a provider and this screen shows what it costs and how it does.\n\n",
            "",
        ),
    ]
    spans += [
        *(
            []
            if report is not None and report.offers
            else _keys(("a", "add a provider; kept only once its test has passed"))
        ),
        *_keys((":", "every command, by typing what you want")),
        *_keys(("?", "the keys that work where you are")),
        *_keys(("q", "quit")),
        ("\n", ""),
    ]
    if found:
        spans.append(("Found in your environment\n", "bold"))
        for choice in found[:6]:
            name = choice.spec.name if choice.spec else ""
            spans += [("  ● ", "$success"), (choice.variable.ljust(22), ""), (f" a key for {name}\n", "$dim")]
        first = found[0].spec.name if found[0].spec else ""
        spans += [
            ("  a", "bold $key"),
            (f" then enter uses the one for {first}; only the variable's name is stored\n\n", "$dim"),
        ]
    spans += [
        ("Without a key\n", "bold"),
        ("  A model server on this machine or your network needs none: Ollama, llama.cpp, LM Studio, vLLM.\n", ""),
        ("  a", "bold $key"), (" then choose it, or paste its address\n", "$dim"),
        ("  Until something is added nobody answers; ", "$dim"), ("2", "bold $key"), (" then ", "$dim"), ("B", "bold $key"), (" shows the known vendors and what they cost\n\n", "$dim"),
        ("Just looking?\n", "bold"),
        ("  switchroom --demo", "$accent"), ("   providers that play a part: no key, no network, nothing left behind\n", "$dim"),
    ]  # fmt: skip
    if problem:
        spans += [("\n", ""), (problem, "$warning")]
    return Content.assemble(*spans)


def hung(content: Content, cells: int) -> Content:
    """The text with lines of at most so many cells, what is carried over under the words of its first line."""
    lines: list[Content] = []
    for line in content.split("\n", allow_blank=True):
        found = _INDENT.match(line.plain)
        deep = found.end() if found else 0
        if not deep or line.cell_length <= cells or cells - deep < _LEAST_WORDS:
            lines.append(line)
            continue
        first, rest = line.divide([deep])
        parts = rest.wrap(cells - deep)
        lines.append(first + parts[0].rstrip())
        lines += [Content(" " * deep) + part.rstrip() for part in parts[1:]]
    return Content("\n").join(lines)


def _keys(pair: tuple[str, str]) -> list[Span]:
    return [("  ", ""), (pair[0], "bold $key"), (f"  {pair[1]}\n", "")]
