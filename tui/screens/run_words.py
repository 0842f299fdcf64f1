"""The words of one run: what it was, used, cost and took, and the columns of its attempts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalog.plaintext import one_line
from tui.formatting import UNKNOWN, clock, count, duration, millis, money, rate, state, whole
from tui.screens.usage_columns import pace
from tui.widgets.columns import Column
from tui.widgets.pairs import Pair

if TYPE_CHECKING:
    from store.ledger import AttemptRow

_GRADES = {
    "reported": "as the vendor reported it",
    "computed": "the tokens the vendor reported × the known price",
    "estimated": "tokens counted here × the known price",
    "unknown": "no price is known, or nobody said what was used",
    "own": "own hardware or a flat rate: no price per token",
}
_ERRORS = {
    "rate_limited": "rate limited",
    "network": "no connection",
    "timeout": "took too long",
    "invalid_key": "the key was refused",
    "no_permission": "the key may not do this",
    "no_credit": "no credit left",
    "model_unavailable": "the model is not available",
    "context_length": "the prompt is too long",
    "content_filtered": "filtered by the vendor",
    "unexpected_response": "an answer nobody expected",
    "interrupted": "the answer broke off",
    "overloaded": "the vendor is overloaded",
    "server_error": "an error at the vendor",
    "budget_exceeded": "a limit was reached",
}
_RATES = (
    ("input", "in"),
    ("output", "out"),
    ("cache_read", "cache read"),
    ("cache_write", "cache write"),
    ("reasoning", "reasoning"),
)


def error_words(row: AttemptRow) -> str:
    """Why an attempt failed, in words; empty where it did not."""
    if row.error_code is None:
        return ""
    return _ERRORS.get(row.error_code, one_line(row.error_code.replace("_", " "), 40))


def run_pairs(rows: Sequence[AttemptRow], conversation: str | None, *, wide: bool) -> list[Pair]:
    """Everything about the run, what matters first."""
    first, last = rows[0], rows[-1]
    mark = state(last.outcome)
    ended = f"{mark}" + (f": {error_words(last)}" if error_words(last) else "")
    if last.finish_reason and last.finish_reason != "stop":
        ended += f" ({one_line(last.finish_reason, 24)})"
    asked, answered = f"{first.provider}/{first.model}", f"{last.provider}/{last.model}"
    pairs: list[Pair] = [
        ("state", ended, mark.tone),
        ("when", _when(first.at), ""),
        ("asked", one_line(asked), ""),
        ("answered by", one_line(answered) if last.outcome != "failed" else "nobody", "accent" if asked != answered else ""),
        ("cost", _cost(rows), "strong"),
        ("", _GRADES.get(last.grade, last.grade), "dim"),
        ("tokens in", _prompt(last), ""),
        ("tokens out", _answer(last), ""),
        ("price used", _price(last), ""),
        ("timing", _timing(rows), ""),
        ("conversation", one_line(conversation, 60) if conversation else "none", "" if conversation else "dim"),
        ("sent by", _sender(last), ""),
        ("run", last.run_id, "dim"),
    ]  # fmt: skip
    if not wide:  # what stands in the table below, or says nothing, makes room
        pairs = [
            pair
            for pair in pairs
            if not (pair[0] == "conversation" and not conversation) and pair[0] != "run"
        ]
    return pairs


def _when(ms: int) -> str:
    when = dt.datetime.fromtimestamp(ms / 1000).astimezone()
    return f"{when:%A} {when.day} {when:%B %Y, %H:%M:%S} ({when:%Z})"


def _cost(rows: Sequence[AttemptRow]) -> str:
    from catalog.money import from_nanos

    known = [row.cost_nanos for row in rows if row.cost_nanos is not None]
    if not known:
        return "none, it ran on own hardware or at a flat rate" if rows[-1].grade == "own" else "unknown"
    words = money(from_nanos(sum(known)))
    unknown = sum(row.cost_nanos is None and row.grade != "own" for row in rows)
    return words + (f", and {count(unknown, 'attempt')} of unknown cost" if unknown else "")


def _known(number: int | None) -> str:
    return UNKNOWN if number is None else whole(number)


def _prompt(row: AttemptRow) -> str:
    parts = [f"{whole(number)} {words}" for number, words in ((row.cache_read, "read from a cache"), (row.cache_write, "written to a cache")) if number]  # fmt: skip
    return _known(row.input) + (f", of which {', '.join(parts)}" if parts else "")


def _answer(row: AttemptRow) -> str:
    return _known(row.output) + (f", of which {whole(row.reasoning)} reasoning" if row.reasoning else "")


def _price(row: AttemptRow) -> str:
    if row.price_json is None:
        return "none per token" if row.grade == "own" else "not known then"
    from decimal import Decimal

    try:
        price = json.loads(row.price_json, parse_float=Decimal)
        parts = [
            f"{rate(Decimal(str(price[name])))} {words}"
            for name, words in _RATES
            if price.get(name) is not None
        ]
    except (ValueError, ArithmeticError, AttributeError):
        return "not readable"
    return f"{', '.join(parts)} per 1M tokens" if parts else "not known then"


def _timing(rows: Sequence[AttemptRow]) -> str:
    last = rows[-1]
    whole_ms = None if last.duration_ms is None else last.at + last.duration_ms - rows[0].at
    parts = [f"first token after {duration(last.ttft_ms)}"] if last.ttft_ms is not None else []
    parts.append(f"{duration(whole_ms)} in all")
    if pace(last) != UNKNOWN:
        parts.append(pace(last))
    return ", ".join(parts)


def _sender(row: AttemptRow) -> str:
    try:
        labels = json.loads(row.labels_json or "{}")
    except ValueError:
        labels = {}
    told = ", ".join(f"{name}={value}" for name, value in labels.items()) if isinstance(labels, dict) else ""
    return one_line(row.caller + (f" ({told})" if told else ""))


def _outcome(row: AttemptRow) -> tuple[str, str]:
    mark = state(row.outcome)
    return str(mark), mark.tone


ATTEMPT_COLUMNS: tuple[Column[AttemptRow], ...] = (
    Column("number", "#", lambda row: str(row.number), width=2, align="right"),
    Column("at", "time", lambda row: (clock(row.at), "dim"), width=11, priority=6),
    Column("model", "model", lambda row: f"{row.provider}/{row.model}", width=14, max_width=40, cut="middle"),
    Column("outcome", "how it ended", _outcome, width=13),  # type: ignore[arg-type]
    Column("error", "error", lambda row: (error_words(row), "bad"), width=5, max_width=28, optional=True, priority=1),
    Column("status", "http", lambda row: UNKNOWN if row.http_status is None else str(row.http_status), width=4, priority=3),
    Column("wait", "retry after", lambda row: "" if row.retry_after_ms is None else duration(row.retry_after_ms), width=11, optional=True, align="right", priority=4),
    Column("ttft", "TTFT", lambda row: millis(row.ttft_ms), width=6, align="right", priority=5),
    Column("took", "took", lambda row: millis(row.duration_ms), width=6, align="right", priority=5),
    Column("request", "request id", lambda row: (row.request_id or UNKNOWN, "dim"), width=12, max_width=48, flex=1, cut="middle", priority=2),
)  # fmt: skip


def clock_time(ms: int) -> str:
    """`14:02:11`, which tells one run of a day from another."""
    return f"{dt.datetime.fromtimestamp(ms / 1000).astimezone():%H:%M:%S}"
