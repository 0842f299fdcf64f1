"""`switchroom usage --source billed|both`: what the vendors billed, beside what was counted here, and why they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import click

from cli.session import Session

if TYPE_CHECKING:
    from services.billed import Compared, Comparison
    from services.container import Services

GROUPS = ("provider", "model", "day")
WORDS = {
    "elsewhere": ("tokens that did not come through here", "tokens that were not billed (yet)"),
    "classes": ("fewer tokens cached than counted here", "more tokens cached than counted here"),
    "price": ("a dearer price per token", "a cheaper price per token"),
    "counted": ("counted too low here", "counted too high here"),
    "items": ("lines of the bill that are no tokens", "given back, or free lines of the bill"),
    "unsplit": ("cannot be told apart", "cannot be told apart"),
}
"""Reason of a gap → in words, where it makes the bill higher and where lower."""


def billed(session: Session, source: str, by: str, first: int, last: int, *, as_csv: bool) -> int:
    """Print what was asked for; `by` must be something that vendors tell."""
    groups = GROUPS if source == "billed" else GROUPS[:2]
    if by not in groups:
        raise click.UsageError(f"With --source {source}, --by takes {', '.join(groups)}.")

    async def work(services: Services) -> None:
        if source == "billed":
            document = await _billed(services, by, first, last)
            text = lambda: _billed_table(document, by)  # noqa: E731
        else:
            from services.billed import compare

            found = await compare(services, first, last, by)
            document = _both(found, first, last)
            text = lambda: _both_table(found, by)  # noqa: E731
        if as_csv:
            click.echo(_csv(document), nl=False)
        else:
            session.emit(document, text)

    return session.run(work, asks=False)


async def _billed(services: Services, by: str, first: int, last: int) -> dict[str, object]:
    from catalog.money import from_nanos
    from cli.documents import moment, usd
    from services.billed_source import BilledSource
    from store.vendor_usage import VendorUsage

    since, until = BilledSource(services.db).aligned([first, last])
    held = VendorUsage(services.db)

    async def lines(group: str | None) -> list[dict[str, object]]:
        return [
            {
                "key": one.key if group else "total",
                "runs": one.requests,
                "errors": None,
                "input": one.input,
                "output": one.output,
                "cost_usd": usd(None if one.cost_nanos is None else from_nanos(one.cost_nanos)),
                "measured_share": None if one.cost_nanos is None else 1.0,
                "cache_read": one.cache_read,
                "cache_write": one.cache_write,
            }
            for one in await held.totals(since, until, group)  # type: ignore[arg-type]
        ]

    total = await lines(None)
    figures = ("runs", "errors", "input", "output", "cost_usd", "measured_share", "cache_read", "cache_write")
    empty = dict.fromkeys(figures)
    return {
        "since": moment(since),
        "until": moment(until),
        "source": "billed",
        "rows": await lines(by),
        "total": total[0] if total else {"key": "total", **empty},
        "projection": dict.fromkeys(("month_usd", "low", "high")),
    }


def _line(line: Compared) -> dict[str, object]:
    from cli.documents import usd

    billed = line.billed
    return {
        "key": line.key or "total",
        "runs": line.here_runs,
        "errors": None,
        "input": line.here.input,
        "output": line.here.output,
        "cost_usd": usd(line.here_cost),
        "measured_share": None,
        "billed_runs": None if billed is None else billed.requests,
        "billed_input": None if billed is None else billed.input,
        "billed_output": None if billed is None else billed.output,
        "billed_usd": usd(line.billed_cost),
        "gap_usd": None if line.gap is None else usd(line.gap.total),
        "gap": None if line.gap is None else {name: usd(part) for name, part in line.gap.parts.items()},
        "unknown_runs": line.unknown,
        "same_account": list(line.also),
    }


def _both(found: Comparison, first: int, last: int) -> dict[str, object]:
    from cli.documents import moment

    starts, ends = zip(*found.spans.values(), strict=True) if found.spans else ((first,), (last,))
    return {
        "since": moment(min(starts)),
        "until": moment(max(ends)),
        "source": "both",
        "rows": [_line(line) for line in found.lines],
        "total": _line(found.total),
        "projection": dict.fromkeys(("month_usd", "low", "high")),
        "compared": {slug: {"since": moment(a), "until": moment(b)} for slug, (a, b) in found.spans.items()},
        "not_told": list(found.untold),
    }


def _billed_table(document: Mapping[str, object], by: str) -> str:
    from decimal import Decimal

    from cli.output import count, dollars, table

    rows = document["rows"]
    assert isinstance(rows, list)
    if not rows:
        return "No vendor said anything of this time. switchroom providers account SLUG asks one, switchroom usage import FILE takes in a bill."
    titles = (by.upper(), "REQUESTS", "IN", "OUT", "BILLED")
    lines = [
        (
            _named(str(one["key"])),
            *("–" if one[name] is None else count(one[name]) for name in ("runs", "input", "output")),
            "not stated" if one["cost_usd"] is None else dollars(Decimal(one["cost_usd"])),
        )
        for one in [*rows, document["total"]]
    ]
    return table(titles, lines, right=titles[1:])


def _both_table(found: Comparison, by: str) -> str:
    from cli.output import dollars, table

    if not found.lines:
        return "No vendor said anything of this time. switchroom providers account SLUG asks one, switchroom usage import FILE takes in a bill."
    titles = (by.upper(), "HERE", "BILLED", "GAP", "WHY")
    rows = [
        (
            _named(line.key) + "".join(f" + {slug}" for slug in line.also if "/" not in line.key) or "total",
            "unknown" if line.here_cost is None else dollars(line.here_cost),
            "not stated" if line.billed_cost is None else dollars(line.billed_cost),
            "–" if line.gap is None else signed(line.gap.total),
            reasons(line),
        )
        for line in [*found.lines, found.total]
    ]
    text = table(titles, rows, right=titles[1:4])
    if found.untold:
        text += f"\nUsed here, but nothing was stated: {', '.join(found.untold)}."
    return text


def _named(key: str) -> str:
    """A line of a bill that names no model says so."""
    if key.endswith("/"):
        return f"{key[:-1]}, no model named"
    return f"{key[:-2]}, all models" if key.endswith("/*") else key


def signed(amount: object) -> str:
    """`+$0.12`, `-$0.40`."""
    from decimal import Decimal

    from cli.output import dollars

    assert isinstance(amount, Decimal)
    return f"{'-' if amount < 0 else '+'}{dollars(abs(amount))}"


def reasons(line: Compared, most: int = 2) -> str:
    """The largest reasons of a gap, in words."""
    if line.gap is None:
        return ""
    parts = sorted(line.gap.parts.items(), key=lambda part: -abs(part[1]))
    words = [f"{signed(part)} {WORDS[name][part < 0]}" for name, part in parts[:most] if part]
    if line.unknown:
        words.append(f"{line.unknown} runs here without a price")
    return "; ".join(words)


def _csv(document: Mapping[str, object]) -> str:
    import csv
    import io

    rows, total = document["rows"], document["total"]
    assert isinstance(rows, list)
    assert isinstance(total, Mapping)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict(_flat(total))), lineterminator="\n")
    writer.writeheader()
    writer.writerows(dict(_flat(row)) for row in rows)
    return text.getvalue()


def _flat(row: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}_{inner}", part) for inner, part in value.items())
        elif name == "gap":
            yield from ((f"gap_{reason}", "") for reason in WORDS)
        elif isinstance(value, list):
            yield name, " ".join(value)
        else:
            yield name, "" if value is None else value
