"""A vendor's bill or usage export as a file: CSV, JSON or JSON lines, read into whole UTC days."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO

from catalog.errors import UsageError
from catalog.plaintext import one_line
from services.bill_json import BREATH, BREATH_LINES, plain_name
from services.bill_json import entries as json_entries
from services.bill_words import FIELDS, Unit, vendor_of
from services.clock import DAY_MS

MOST_BYTES = 64 * 1024 * 1024
_MOST_TOLD = 20
"""Lines that could not be read, which are told one by one."""
_MOST_PARTS = 200_000
"""Different days, models and line items: years of a large bill."""
_MOST_USD, _MOST_COUNT = 10**8, 10**16
"""More in one file is no bill, and sums of it would not fit the store."""
_EARLIEST, _LATEST = 1_262_304_000_000, 4_102_444_800_000
"""2010 and 2100 in UTC ms: no bill lies outside."""
_SNIFF = 64 * 1024
"""Characters of the first line that tell how a table is separated."""
_LINE_ITEM = re.compile(r"([^\s,]+), .*(?<![a-z])(?:input|output)(?![a-z]).*")
"""OpenAI's line items: `gpt-4o-2024-08-06, cached input`."""
_UNIX = re.compile(r"\d{9,13}(?:\.\d+)?")
_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")
_DECIMAL_COMMA = re.compile(r"-?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+")
_FIGURES = ("requests", "input", "output", "cache_read", "cache_write")


@dataclass(slots=True)
class BillDay:
    """What one day of one model and line item says."""

    figures: dict[str, int] = field(default_factory=dict)
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """What a file says."""

    name: str
    days: Mapping[tuple[int, str, str], BillDay]
    """(UTC ms of the day, model, item) → its figures."""
    unit: Unit
    lines: int
    unread: tuple[str, ...]
    """`line 7: no date`, the first of them."""
    bad: int = 0
    """How many lines could not be read."""
    vendor: str | None = None
    """Whose export its columns or its name say it is, by the catalog's name; None: they do not say."""

    @property
    def span(self) -> tuple[int, int]:
        """[first, last) in UTC ms."""
        starts = [start for start, _, _ in self.days]
        return min(starts), max(starts) + DAY_MS

    @property
    def cost(self) -> Decimal | None:
        """USD altogether; None: the file states no money."""
        known = [day.cost for day in self.days.values() if day.cost is not None]
        return sum(known, Decimal(0)) if known else None


def read_bill(path: Path, unit: Unit | None = None) -> Bill:
    """Read a file. UsageError for what cannot be read, with the reason; single bad lines are told and left out.

    A large file takes seconds: whoever has a screen reads it in a thread, where nothing here holds it up for long.
    """
    try:
        if path.stat().st_size > MOST_BYTES or not path.is_file():
            raise UsageError(f"The file {one_line(str(path), 120)} is no bill: it is too large, or no file.")
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            return _read(path.name, _entries(file), unit)
    except OSError as problem:
        raise UsageError(f"The file {one_line(str(path), 120)} cannot be read: {problem.strerror}.") from None


def _read(name: str, entries: Iterable[tuple[int, Mapping[str, object]]], unit: Unit | None) -> Bill:
    tally = _Tally()
    unread: list[str] = []
    lines = bad = 0
    seen_unit: Unit = unit or "usd"
    columns: set[str] = set()
    for number, entry in entries:
        lines += 1
        if not lines % BREATH_LINES:
            time.sleep(BREATH)
        if lines <= _MOST_TOLD:
            columns.update(entry)
        try:
            unit_here = _take(tally, entry, unit)
        except (ValueError, InvalidOperation, OverflowError) as problem:
            bad += 1
            if len(unread) < _MOST_TOLD:
                unread.append(f"line {number}: {problem}")
            continue
        seen_unit = unit_here or seen_unit
    if not tally.days or bad > lines / 2:
        why = unread[0] if unread else "it holds no lines"
        raise UsageError(
            f"The file {one_line(name, 80)} holds no usage that can be read: {why}.",
            hint="It needs a date, and tokens or a cost. Columns that are known: date, model, requests, input_tokens, output_tokens, cost_usd.",
        )
    return Bill(
        one_line(name, 80), tally.days, seen_unit, lines, tuple(unread), bad, vendor_of(name, columns)
    )


def _entries(file: TextIO) -> Iterator[tuple[int, Mapping[str, object]]]:
    first = file.readline(_SNIFF)
    while first and not first.strip():
        first = file.readline(_SNIFF)
    if first.lstrip()[:1] in ("{", "["):
        return json_entries("".join((first, *iter(lambda: file.read(_SNIFF), ""))))
    return _csv_entries(first, file)


class _Tally:
    """Sums by day, model and item, within what any bill can hold."""

    def __init__(self) -> None:
        self.days: dict[tuple[int, str, str], BillDay] = {}
        self._money = Decimal(0)
        self._counts = 0

    def add(self, key: tuple[int, str, str], figures: Mapping[str, int], cost: Decimal | None) -> None:
        money, counts = (
            self._money + (Decimal(0) if cost is None else abs(cost)),
            self._counts + sum(figures.values()),
        )
        if money >= _MOST_USD or counts >= _MOST_COUNT:
            raise ValueError("more than any bill")
        day = self.days.get(key)
        if day is None:
            if len(self.days) >= _MOST_PARTS:
                raise UsageError(
                    f"The file tells of more than {_MOST_PARTS:,} different days, models and line items.",
                    hint="Export it by day, or in parts.",
                )
            day = self.days[key] = BillDay()
        self._money, self._counts = money, counts
        for name, count in figures.items():
            day.figures[name] = day.figures.get(name, 0) + count
        if cost is not None:
            day.cost = cost if day.cost is None else day.cost + cost


def _take(tally: _Tally, entry: Mapping[str, object], unit: Unit | None) -> Unit | None:
    """Add one line; the unit its money was read in. ValueError says what is wrong with it."""
    found = {
        name: value
        for alias, value in entry.items()
        if (name := FIELDS.get(alias)) and value not in ("", None)
    }
    start = _day(found.get("date"))
    figures = {name: count for name in _FIGURES if (count := _count(found.get(name), name)) is not None}
    if (hour := _count(found.get("cache_write_1h"), "cache_write")) is not None:
        figures["cache_write"] = figures.get("cache_write", 0) + hour
    if (plain := _count(found.get("plain"), "input")) is not None:  # Anthropic counts cached tokens apart
        figures["input"] = plain + figures.get("cache_read", 0) + figures.get("cache_write", 0)
    cost, read_in = _cost(found, entry, unit)
    if not figures and cost is None:
        raise ValueError("neither tokens nor a cost")
    model, item = str(found.get("model", "")), str(found.get("item", ""))
    if not model and (named := _LINE_ITEM.fullmatch(item)):
        model = named[1]
    tally.add((start, one_line(model, 200), one_line(item, 200)), figures, cost)
    return read_in


def _cost(
    found: Mapping[str, object], entry: Mapping[str, object], unit: Unit | None
) -> tuple[Decimal | None, Unit | None]:
    """USD, exact; Anthropic's API states cents as texts, and the name of a column may say the unit."""
    currency = str(found.get("currency", "usd")).strip().lower()
    if currency not in ("usd", "us$", "$"):
        raise ValueError(f"an amount in {one_line(currency, 12)}, not in dollars")
    for name, said in (("usd", "usd"), ("cents", "cents"), ("cost", unit)):
        if name not in found:
            continue
        amount = _amount(found[name])
        in_cents = said == "cents" or (
            said is None and isinstance(entry.get("amount"), str) and "starting_at" in entry
        )
        return (amount.scaleb(-2), "cents") if in_cents else (amount, "usd")
    return None, None


def _amount(value: object) -> Decimal:
    text = str(value).strip()
    plain = text.replace("$", "").replace(" ", "")
    if "," in plain:
        plain = _without_commas(plain)
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        raise ValueError(f"{one_line(text, 20)} is no amount") from None
    if not amount.is_finite() or abs(amount) >= 10**9 or len(plain) > 60:
        raise ValueError(f"{one_line(text, 20)} is no amount")
    return amount


def _without_commas(text: str) -> str:
    """`1,234.5` and `1.234,5` as they are meant; a single comma that cannot stand for thousands is a decimal one."""
    if _THOUSANDS.fullmatch(text):
        return text.replace(",", "")
    return text.replace(".", "").replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text


def _count(value: object, name: str) -> int | None:
    if value is None:
        return None
    number = _amount(value)
    if number < 0 or number != number.to_integral_value() or number >= 10**15:
        raise ValueError(f"{one_line(str(value), 20)} is no number of {name} tokens")
    return int(number)


def _day(value: object) -> int:
    """The UTC day of a date, a moment, or a Unix time in seconds or milliseconds."""
    text = str(value if value is not None else "").strip()
    if not text:
        raise ValueError("no date")
    if _UNIX.fullmatch(text):
        seconds = float(text) / (1000 if len(text.partition(".")[0]) > 11 else 1)
        return _usual(int(seconds) * 1000 // DAY_MS * DAY_MS, text)
    try:
        moment = datetime.fromisoformat(text.replace(" UTC", "+00:00"))
    except ValueError:
        raise ValueError(f"{one_line(text, 30)} is no date") from None
    at = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return _usual(int(at.timestamp()) * 1000 // DAY_MS * DAY_MS, text)


def _usual(day: int, text: str) -> int:
    if not _EARLIEST <= day < _LATEST:
        raise ValueError(f"{one_line(text, 30)} is no day of a bill")
    return day


def _csv_entries(first: str, file: Iterable[str]) -> Iterator[tuple[int, Mapping[str, object]]]:
    separator = max(",;\t", key=first.count)
    reader = csv.reader(_lines(first, file), delimiter=separator)
    try:
        header = [plain_name(name) for name in next(reader, [])]
        if "date" not in {FIELDS.get(name) for name in header}:
            raise UsageError(
                f"The file has no column with a date. Its columns: {one_line(', '.join(header), 200)}.",
                hint="Name one of them date.",
            )
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if separator == ";":  # where commas are decimal ones, they cannot separate
                    cells = [_with_point(cell) for cell in cells]
                yield reader.line_num, dict(zip(header, cells, strict=False))
    except csv.Error as problem:
        raise UsageError(f"The file is no table: {problem}.") from None


def _lines(first: str, file: Iterable[str]) -> Iterator[str]:
    yield first
    yield from file


def _with_point(cell: str) -> str:
    text = cell.strip()
    return text.replace(".", "").replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else cell
