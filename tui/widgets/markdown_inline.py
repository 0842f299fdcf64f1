"""What emphasis, code, links and escapes inside a paragraph mean, and up to where their meaning can no longer change."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

from tui.widgets.markdown_wrap import Span

REACH = 1000
"""Characters an emphasis, code or link construct may span. What is older than this is settled, so that a long paragraph can be frozen."""

LOOK_AHEAD = 40
"""Characters that decide about a place in front of them at most: entities, escapes, the beginning of a web address."""

STRONG, EM, STRIKE, CODE, LINK, URL = 1, 2, 4, 8, 16, 32
_NAMES = ((STRONG, "strong"), (EM, "em"), (STRIKE, "strike"), (CODE, "code"), (LINK, "link"), (URL, "url"))

_LABEL = r"(?:[^\[\]\\]|\\.|\[[^\[\]]{0,200}\]){0,600}+"
_TARGET = (
    r"[ \n]?<?(?P<target>(?:[^\s()<>]|\([^\s()]*\)){0,600}+)>?(?:\s+(?:\"[^\"]{0,200}\"|'[^']{0,200}'))?\s?"
)
_TOKEN = re.compile(
    r"\\(?P<escape>[!-/:-@\[-`{-~])"
    r"|(?P<ticks>`+)"
    r"|(?P<image>!)?\[(?P<label>" + _LABEL + r")\]\(" + _TARGET + r"\)"
    r"|<(?P<auto>https?://[^\s<>]{1,600}|mailto:[^\s<>]{1,200})>"
    r"|(?P<url>https?://[^\s<>\"'`*\]]{1,600})"
    r"|(?P<emphasis>\*+|_+|~~)"
    r"|&(?P<entity>#?[A-Za-z0-9]{1,31});"
    r"|(?P<bracket>[\[<])",
    re.DOTALL,
)
_SPECIAL = re.compile(r"[\\`*_~\[<&]|http")


@dataclass(slots=True)
class _Run:
    """A run of emphasis marks."""

    node: int
    mark: str
    count: int
    opens: bool
    closes: bool
    at: int
    size: int = 0

    def __post_init__(self) -> None:
        self.size = self.count


@dataclass(slots=True)
class _Parse:
    text: str
    base: int = 0
    provisional: bool = False
    before: str = " "
    nodes: list[list[str | int]] = field(default_factory=list)
    runs: list[_Run] = field(default_factory=list)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    """First and last position of each token and each matched pair."""
    live: int | None = None
    """The first place where a construct stands open that later text could still close."""

    def add(self, text: str, mask: int = 0) -> None:
        if text:
            self.nodes.append([text, mask | self.base])

    def open_at(self, position: int) -> None:
        if position >= len(self.text) - REACH and (self.live is None or position < self.live):
            self.live = position


def spans(text: str, style: str = "", *, provisional: bool = False, before: str = " ") -> list[Span]:
    """The styled text of a paragraph. `provisional` treats what is still open at the end as if it were closed there.

    `before` is the character in front of `text`, where `text` is the rest of a paragraph.
    """
    if not _SPECIAL.search(text):
        return [(text, style)]
    parse = _parse(text, provisional, before=before)
    return [(str(node[0]), _style(style, int(node[1]))) for node in parse.nodes if node[0]]


def settled(text: str, before: str = " ") -> int:
    """The largest cut of `text` in front of which nothing can change whatever follows; 0 if none."""
    parse = _parse(text, before=before)
    limit = len(text) - LOOK_AHEAD
    if parse.live is not None:
        limit = min(limit, parse.live)
    while limit > 0:
        crossed = [start for start, end in parse.ranges if start < limit <= end]
        if not crossed:
            return limit
        limit = min(crossed)
    return 0


def _style(base: str, mask: int, _cache: dict[tuple[str, int], str] = {}) -> str:  # noqa: B006
    name = _cache.get((base, mask))
    if name is None:
        name = " ".join([*([base] if base else []), *(word for bit, word in _NAMES if mask & bit)])
        _cache[base, mask] = name
    return name


def _parse(text: str, provisional: bool = False, base: int = 0, before: str = " ") -> _Parse:
    parse = _Parse(text, base, provisional, before)
    at = 0
    while (match := _TOKEN.search(text, at)) is not None:
        parse.add(text[at : match.start()])
        at = _take(parse, match)
    parse.add(text[at:])
    _emphasise(parse)
    return parse


def _take(parse: _Parse, match: re.Match[str]) -> int:
    """Handle one token; returns where to go on."""
    text, kind = parse.text, match.lastgroup
    parse.ranges.append((match.start(), match.end() - 1))
    if kind == "escape":
        parse.add(match["escape"])
    elif kind == "ticks":
        return _code(parse, match)
    elif match["label"] is not None and match.end() - match.start() <= REACH:
        _link(parse, match)
    elif kind == "auto":
        parse.add(match["auto"], LINK)
    elif kind == "url":
        url = match["url"].rstrip(".,;:!?)_~")
        parse.add(url, LINK)
        return match.start() + len(url)
    elif kind == "emphasis":
        _run(parse, match)
    elif kind == "entity":
        parse.add(_entity(match[0]))
    else:
        parse.open_at(match.start())
        partial = (
            re.compile(r"\[([^\[\]]{1,300})\]\([^)\s]{0,600}$").match(text, match.start())
            if parse.provisional
            else None
        )
        if partial is not None:
            parse.add(partial[1], LINK)
            return len(text)
        parse.ranges[-1] = (match.start(), match.start())
        parse.add(match[0][0])
        return match.start() + 1
    return match.end()


def _entity(source: str) -> str:
    value = unescape(source)
    return value if value.isprintable() else source


def _code(parse: _Parse, match: re.Match[str]) -> int:
    ticks = match["ticks"]
    start = match.end()
    for close in re.compile("`+").finditer(parse.text, start, min(len(parse.text), match.start() + REACH)):
        if len(close[0]) == len(ticks) and parse.text[close.end() : close.end() + 1] != "`":
            inner = parse.text[start : close.start()].replace("\n", " ")
            if inner[:1] == " " == inner[-1:] and inner.strip():
                inner = inner[1:-1]
            parse.ranges.append((match.start(), close.end() - 1))
            parse.add(inner, CODE)
            return close.end()
    parse.open_at(match.start())
    if parse.provisional and len(parse.text) - start < REACH and len(ticks) < 3:
        parse.add(parse.text[start:].replace("\n", " "), CODE)
        return len(parse.text)
    parse.add(ticks)
    return start


def _link(parse: _Parse, match: re.Match[str]) -> None:
    label, target = match["label"], match["target"]
    if match["image"]:
        parse.add("image: ", EM)
    inner = _parse(label, False, parse.base | LINK)
    parse.nodes.extend(inner.nodes)
    shown = "".join(str(node[0]) for node in inner.nodes)
    if target and target not in (shown, f"mailto:{shown}"):
        parse.add(f" ({target})", URL)


def _run(parse: _Parse, match: re.Match[str]) -> None:
    text, marks = parse.text, match["emphasis"]
    before = text[match.start() - 1] if match.start() else parse.before
    after = text[match.end()] if match.end() < len(text) else " "
    left = not after.isspace() and (not _edge(after) or before.isspace() or _edge(before))
    right = not before.isspace() and (not _edge(before) or after.isspace() or _edge(after))
    opens, closes = left, right
    if marks[0] == "_":
        opens = left and (not right or _edge(before))
        closes = right and (not left or _edge(after))
    if match.end() == len(text):
        parse.open_at(match.start())
    parse.nodes.append([marks, parse.base])
    parse.runs.append(_Run(len(parse.nodes) - 1, marks[0], len(marks), opens, closes, match.start()))


def _edge(character: str) -> bool:
    """Punctuation for the flanking rules; wide characters count too, since Chinese and Japanese put no spaces around emphasis."""
    return not (character.isalnum() or character.isspace()) or ord(character) >= 0x2E80


def _emphasise(parse: _Parse) -> None:
    runs = parse.runs
    for index, closer in enumerate(runs):
        if not closer.closes:
            continue
        back = index - 1
        while closer.count and back >= 0 and closer.at - runs[back].at <= REACH:
            opener = runs[back]
            if opener.opens and opener.count and opener.mark == closer.mark and _fits(opener, closer):
                _join(parse, opener, closer)
                for between in runs[back + 1 : index]:
                    between.opens = False
                if opener.count:
                    continue
            back -= 1
    for run in runs:
        if run.opens and run.count:
            parse.open_at(run.at)
    if parse.provisional:
        _close_open(parse)
    for run in runs:
        parse.nodes[run.node][0] = run.mark * run.count


def _fits(opener: _Run, closer: _Run) -> bool:
    both = (opener.opens and opener.closes) or (closer.opens and closer.closes)
    return not (both and (opener.size + closer.size) % 3 == 0 and (opener.size % 3 or closer.size % 3))


def _join(parse: _Parse, opener: _Run, closer: _Run) -> None:
    size = 2 if opener.count >= 2 and closer.count >= 2 else 1
    mask = STRIKE if opener.mark == "~" else STRONG if size == 2 else EM
    for node in parse.nodes[opener.node + 1 : closer.node]:
        node[1] = int(node[1]) | mask
    opener.count -= size
    closer.count -= size
    parse.ranges.append((opener.at, closer.at + closer.size - 1))


def _close_open(parse: _Parse) -> None:
    """Style what an unclosed mark near the end will most likely mean, and hide the mark, so that nothing flickers."""
    for run in parse.runs:
        if run.count and run.opens and not run.closes and len(parse.text) - run.at < REACH and run.count <= 3:
            mask = STRIKE if run.mark == "~" else (0, EM, STRONG, STRONG | EM)[run.count]
            for node in parse.nodes[run.node + 1 :]:
                node[1] = int(node[1]) | mask
            run.count = 0
    last = parse.runs[-1] if parse.runs else None
    if last is not None and last.at + last.size == len(parse.text):
        last.count = 0
