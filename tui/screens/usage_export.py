"""What `X` writes of the Usage mode: the table, the chart's numbers, or the runs of one key."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from tui.exporting import Exported

if TYPE_CHECKING:
    from services.billed import Compared, Comparison
    from store.ledger import AttemptRow
    from tui.screens.usage_columns import UsageLine
    from tui.screens.usage_load import Loaded

_LINE = (
    "key",
    "cost_usd",
    "cost_usd_before",
    "runs",
    "runs_before",
    "errors",
    "input",
    "output",
    "unknown_attempts",
    "ttft_p50_ms",
)


def lines_exported(fresh: Loaded, lines: Sequence[UsageLine]) -> Exported:
    """The rows the filter shows, in their order."""
    if fresh.source == "billed":
        return _billed_exported(fresh, lines)
    rows = [
        {
            "key": line.key,
            "cost_usd": line.entry.now.cost,
            "cost_usd_before": line.entry.before.cost,
            "runs": line.entry.now.runs,
            "runs_before": line.entry.before.runs,
            "errors": line.entry.now.errors,
            "input": line.entry.now.input,
            "output": line.entry.now.output,
            "unknown_attempts": line.entry.now.unknown,
            "ttft_p50_ms": line.entry.now.ttft,
        }
        for line in lines
    ]
    return Exported(f"usage-by-{fresh.group}", _LINE, rows)


_BILLED = ("key", "billed_usd", "billed_usd_before", "requests", "input", "output")


def _billed_exported(fresh: Loaded, lines: Sequence[UsageLine]) -> Exported:
    """What vendors state; a figure that is not stated stays empty."""
    rows: list[dict[str, object]] = [
        {
            "key": line.key,
            "billed_usd": line.entry.now.cost,
            "billed_usd_before": line.entry.before.cost,
            "requests": line.entry.now.runs or None,
            "input": line.entry.now.input or None,
            "output": line.entry.now.output or None,
        }
        for line in lines
    ]
    return Exported(f"billed-by-{fresh.group}", _BILLED, rows)


def buckets_exported(fresh: Loaded) -> Exported:
    """The chart's numbers: a row per bucket and key."""
    from services.clock import iso, utc_day

    chart = fresh.chart
    at = utc_day if fresh.source != "here" else int  # where a bill's day really begins
    rows: list[dict[str, object]] = [
        {"start": iso(at(start)), "key": key, fresh.measure: _plain(values[place], fresh.measure)}
        for place, start in enumerate(chart.starts)
        for key, values in zip(chart.keys, chart.values, strict=True)
    ]
    return Exported(f"{fresh.measure}-by-{fresh.group}", ("start", "key", fresh.measure), rows)


def _plain(value: float | None, measure: str) -> Decimal | int | None:
    if value is None:
        return None
    return Decimal(repr(value)).quantize(Decimal("0.000000001")) if measure == "cost" else round(value)


_RUN = (
    "run_id", "at", "provider", "model", "outcome", "attempts", "input", "output", "cache_read", "cache_write", "reasoning",
    "cost_usd", "grade", "ttft_ms", "duration_ms", "caller", "request_id",
)  # fmt: skip


def runs_exported(rows: Sequence[AttemptRow]) -> Exported:
    """The runs that are listed."""
    from catalog.money import from_nanos
    from services.clock import iso

    plain = [
        {name: getattr(row, name) for name in _RUN if name not in ("at", "attempts", "cost_usd")}
        | {
            "at": iso(row.at),
            "attempts": row.number,
            "cost_usd": None if row.cost_nanos is None else from_nanos(row.cost_nanos),
        }
        for row in rows
    ]
    return Exported("runs", _RUN, plain)


_SIDES = ("key", "here_usd", "billed_usd", "gap_usd", "here_runs", "here_input", "here_output", "billed_input", "billed_output",
          "elsewhere", "classes", "price", "counted", "items", "unsplit")  # fmt: skip


def _parts(line: Compared) -> dict[str, object]:
    parts = line.gap.parts.items() if line.gap else ()
    return {str(reason): amount for reason, amount in parts}


def compared_exported(found: Comparison) -> Exported:
    """Both sides of each line, and the parts of its gap in USD."""
    rows: list[dict[str, object]] = [
        {
            "key": line.key,
            "here_usd": line.here_cost,
            "billed_usd": line.billed_cost,
            "gap_usd": line.gap.total if line.gap else None,
            "here_runs": line.here_runs,
            "here_input": line.here.input,
            "here_output": line.here.output,
            "billed_input": line.billed.input if line.billed else None,
            "billed_output": line.billed.output if line.billed else None,
            **_parts(line),
        }
        for line in found.lines
    ]
    return Exported("usage-here-and-billed", _SIDES, rows)
