"""A vendor's bill or usage export as a file: CSV, JSON or JSON lines, read into whole UTC days."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal

from catalog.errors import UsageError
from catalog.plaintext import one_line
from services.clock import DAY_MS

Unit = Literal["usd", "cents"]
MOST_BYTES = 64 * 1024 * 1024
_MOST_TOLD = 20
"""Lines that could not be read, which are told one by one."""
_NAMES = {
    "date": "date day usage_date usage_date_utc date_utc start_time_iso start_time starting_at created_at timestamp time bucket_start",
    "model": "model model_name model_id model_permaslug model_version",
    "requests": "requests num_requests num_model_requests request_count calls",
    "input": "input_tokens prompt_tokens tokens_prompt n_context_tokens_total context_tokens input",
    "plain": "uncached_input_tokens usage_input_tokens_no_cache input_tokens_no_cache",
    "cache_read": "cache_read_input_tokens input_cached_tokens cached_tokens usage_input_tokens_cache_read tokens_cached cache_read",
    "cache_write": "cache_creation_input_tokens cache_write_tokens cache_write usage_input_tokens_cache_write ephemeral_5m_input_tokens usage_input_tokens_cache_write_5m",
    "cache_write_1h": "ephemeral_1h_input_tokens usage_input_tokens_cache_write_1h",
    "output": "output_tokens completion_tokens tokens_completion n_generated_tokens_total usage_output_tokens output",
    "usd": "cost_usd amount_usd usd total_cost_usd cost_in_usd",
    "cents": "cost_cents amount_cents cents",
    "cost": "cost amount amount_value total_cost cost_total usage charge",
    "currency": "currency amount_currency",
    "item": "line_item item description cost_type",
}
"""Ours → the names of columns or fields that mean it (lower case, `_` for everything else)."""
_FIELDS = {alias: name for name, aliases in _NAMES.items() for alias in aliases.split()}
_LINE_ITEM = re.compile(r"([^\s,]+), .*\b(?:input|output)\b.*")
"""OpenAI's line items: `gpt-4o-2024-08-06, cached input`."""
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
    """Read a file. UsageError for what cannot be read, with the reason; single bad lines are told and left out."""
    try:
        if path.stat().st_size > MOST_BYTES or not path.is_file():
            raise UsageError(f"The file {one_line(str(path), 120)} is no bill: it is too large, or no file.")
        text = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as problem:
        raise UsageError(f"The file {one_line(str(path), 120)} cannot be read: {problem.strerror}.") from None
    entries = _json_entries(text) if text.lstrip()[:1] in ("{", "[") else _csv_entries(text)
    days: dict[tuple[int, str, str], BillDay] = {}
    unread: list[str] = []
    lines = bad = 0
    seen_unit: Unit = unit or "usd"
    for number, entry in entries:
        lines += 1
        try:
            unit_here = _take(days, entry, unit)
        except (ValueError, InvalidOperation, OverflowError) as problem:
            bad += 1
            if len(unread) < _MOST_TOLD:
                unread.append(f"line {number}: {problem}")
            continue
        seen_unit = unit_here or seen_unit
    if not days or bad > lines / 2:
        why = unread[0] if unread else "it holds no lines"
        raise UsageError(
            f"The file {one_line(path.name, 80)} holds no usage that can be read: {why}.",
            hint="It needs a date, and tokens or a cost. Columns that are known: date, model, requests, input_tokens, output_tokens, cost_usd.",
        )
    return Bill(one_line(path.name, 80), days, seen_unit, lines, tuple(unread))


def _take(
    days: dict[tuple[int, str, str], BillDay], entry: Mapping[str, object], unit: Unit | None
) -> Unit | None:
    """Add one line; the unit its money was read in. ValueError says what is wrong with it."""
    found = {
        name: value
        for alias, value in entry.items()
        if (name := _FIELDS.get(alias)) and value not in ("", None)
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
    key = (start, one_line(model, 200), one_line(item, 200))
    day = days.setdefault(key, BillDay())
    for name, count in figures.items():
        day.figures[name] = day.figures.get(name, 0) + count
    if cost is not None:
        day.cost = (day.cost or Decimal(0)) + cost
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
    text = str(value).strip().removeprefix("$").replace(",", "")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{one_line(text, 20)} is no amount") from None
    if not amount.is_finite() or abs(amount) >= 10**9:
        raise ValueError(f"{one_line(text, 20)} is no amount")
    return amount


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
    if re.fullmatch(r"\d{9,13}(?:\.\d+)?", text):
        seconds = float(text) / (1000 if len(text.partition(".")[0]) > 11 else 1)
        return int(seconds) * 1000 // DAY_MS * DAY_MS
    try:
        moment = datetime.fromisoformat(text.replace(" UTC", "+00:00"))
    except ValueError:
        raise ValueError(f"{one_line(text, 30)} is no date") from None
    at = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return int(at.timestamp()) * 1000 // DAY_MS * DAY_MS


def _csv_entries(text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        header = [_plain(name) for name in next(reader, [])]
        if "date" not in {_FIELDS.get(name) for name in header}:
            raise UsageError(
                f"The file has no column with a date. Its columns: {one_line(', '.join(header), 200)}.",
                hint="Name one of them date.",
            )
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, dict(zip(header, cells, strict=False))
    except csv.Error as problem:
        raise UsageError(f"The file is no table: {problem}.") from None


def _json_entries(text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    try:
        documents: list[object] = [json.loads(text, parse_float=Decimal)]
    except ValueError:
        documents = []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                try:
                    documents.append(json.loads(line, parse_float=Decimal))
                except (ValueError, RecursionError):
                    raise UsageError(f"Line {number} of the file is no JSON.") from None
    except RecursionError:
        raise UsageError("The file is no JSON that can be read.") from None
    yield from enumerate(_flat(documents), 1)


def _flat(
    value: object, above: Mapping[str, object] | None = None, depth: int = 0
) -> Iterator[Mapping[str, object]]:
    """Pages, buckets and results as single entries; what is said of a bucket holds for its results."""
    if depth > 6:
        return
    if isinstance(value, list):
        for one in value:
            yield from _flat(one, above, depth + 1)
    elif isinstance(value, dict):
        plain: dict[str, object] = {**(above or {}), **dict(_fields(value))}
        inner = next(
            (
                value[name]
                for name in ("data", "results", "rows", "usage_data")
                if isinstance(value.get(name), list)
            ),
            None,
        )
        if inner is None:
            yield plain
        else:
            yield from _flat(inner, plain, depth + 1)


def _fields(value: Mapping[str, object], before: str = "") -> Iterable[tuple[str, object]]:
    for name, one in value.items():
        if isinstance(one, dict):
            yield from _fields(one, "" if name in ("cache_creation", "usage") else f"{_plain(name)}_")
        elif not isinstance(one, list):
            yield f"{before}{_plain(name)}", one


def _plain(name: object) -> str:
    return re.sub(r"[^a-z0-9]+", "_", str(name).strip().lower()).strip("_")
