"""`switchroom usage`: what was used and what it cost, counted here or billed by the vendors, by provider, model, time and more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.lazy import WithDefault
from cli.session import Session, reads

if TYPE_CHECKING:
    from services.container import Services
    from services.usage import UsageLine, UsageReport

GROUPS = ("provider", "model", "day", "hour", "label", "caller", "grade", "outcome")


@click.command(
    epilog="switchroom usage import FILE takes in a bill, switchroom usage why explains a day: each has --help."
)
@click.option("--by", type=click.Choice(GROUPS), default="provider", show_default=True, help="What a row is.")
@click.option(
    "--since", metavar="SPAN", help="From then to now: 30d, 24h, 2026-11-01. Without any: this month."
)
@click.option("--month", metavar="YYYY-MM", help="A calendar month.")
@click.option("--from", "start", metavar="D", help="From this day or moment.")
@click.option(
    "--to", "end", metavar="D", help="To the end of this day, or up to this moment; without it, now."
)
@click.option(
    "--source",
    type=click.Choice(("here", "billed", "both")),
    default="here",
    show_default=True,
    help="Counted here, billed by the vendors (whole UTC days), or both with the reasons of the difference.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@reads
def report(
    session: Session,
    by: str,
    since: str | None,
    month: str | None,
    start: str | None,
    end: str | None,
    source: str,
    as_csv: bool,
) -> int:
    """What was used and what it cost. Without a time: this month."""
    if as_csv and session.json:
        raise click.UsageError("--csv and --json exclude each other.")
    first, last = time_range(since, month, start, end)

    if source != "here":
        from cli.commands.usage_billed import billed

        return billed(session, source, by, first, last, as_csv=as_csv)

    async def work(services: Services) -> None:
        report = await services.usage.report(by, first, last)
        if as_csv:
            click.echo(_csv(report), nl=False)
        else:
            session.emit(_document(report), lambda: _table(report, by))

    return session.run(work, asks=False)


def time_range(since: str | None, month: str | None, start: str | None, end: str | None) -> tuple[int, int]:
    """First millisecond and the one after the last."""
    import re

    from services.clock import month_bounds, now_ms, parse_when

    if sum((since is not None, month is not None, start is not None or end is not None)) > 1:
        raise click.UsageError("--since, --month and --from/--to exclude each other.")
    now = now_ms()
    if month is not None:
        if not re.fullmatch(r"\d{4}-\d{2}", month):
            raise click.UsageError("--month takes a month such as 2026-11.")
        return month_bounds(parse_when(month))
    if end is not None and start is None:
        raise click.UsageError("--to needs --from.")
    if start is not None:
        first, last = parse_when(start), _end(end) if end is not None else now
        if first >= last:
            raise click.UsageError("--from must lie before --to.")
        return first, last
    return (parse_when(since, now) if since is not None else month_bounds(now)[0]), now


def _end(text: str) -> int:
    """A day or a month counts whole; a moment or a span back from now is itself."""
    import re

    from services.clock import day_bounds, month_bounds, parse_when

    at = parse_when(text)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}|today|yesterday", text.strip()):
        return day_bounds(at)[1]
    return month_bounds(at)[1] if re.fullmatch(r"\d{4}-\d{2}", text.strip()) else at


def _line(line: UsageLine) -> dict[str, object]:
    from cli.documents import usd

    return {
        "key": line.key,
        "runs": line.runs,
        "errors": line.errors,
        "input": line.input,
        "output": line.output,
        "cost_usd": usd(line.cost),
        "measured_share": line.measured_share,
    }


def _document(report: UsageReport) -> dict[str, object]:
    from cli.documents import moment, usd

    projection = report.projection
    return {
        "since": moment(report.since),
        "until": moment(report.until),
        "rows": [_line(line) for line in report.rows],
        "total": _line(report.total),
        "projection": {
            "month_usd": usd(projection.month) if projection else None,
            "low": usd(projection.low) if projection else None,
            "high": usd(projection.high) if projection else None,
        },
    }


def _table(report: UsageReport, by: str) -> str:
    from cli.output import count, dollars, table

    if not report.rows:
        return "No runs in this time."
    titles = (by.upper(), "RUNS", "ERRORS", "IN", "OUT", "COST", "MEASURED")
    rows = [
        (
            line.key or "no label",
            count(line.runs),
            count(line.errors),
            count(line.input),
            count(line.output),
            dollars(line.cost) if line.cost is not None else "no price",
            "–" if line.measured_share is None else f"{line.measured_share:.0%}",
        )
        for line in [*report.rows, report.total]
    ]
    text = table(titles, rows, right=titles[1:])
    if report.projection is None:
        return text
    on_track = report.projection
    return f"{text}\nOn track for {dollars(on_track.month)} this month ({dollars(on_track.low)} to {dollars(on_track.high)})."


def _csv(report: UsageReport) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(list(_line(report.total)))
    writer.writerows(
        ["" if value is None else value for value in _line(line).values()] for line in report.rows
    )
    return text.getvalue()


command = WithDefault(
    "usage",
    default=report,
    later={
        "import": "cli.commands.usage_import:import_command",
        "why": "cli.commands.usage_import:why_command",
    },
    help="What was used and what it cost.",
)
