"""`switchroom models recommend`: which models suit a task and a budget, and why the others do not."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from catalog.plaintext import one_line
from cli.session import Session, reads

if TYPE_CHECKING:
    from catalog.recommend import Verdict
    from services.container import Services
    from services.recommend import Advice

_TASKS = ("chat", "code", "vision", "reasoning", "translate", "transcribe")
_SHOWN = 15
"""Recommended models in the table; --json has all."""
_NAMED = 3
"""Models named of each kind that is not recommended."""


@click.command("recommend")
@click.option("--task", type=click.Choice(_TASKS), default="chat", show_default=True, help="What for.")
@click.option("--budget", metavar="USD", default="", help="What one run may cost; without it, any price.")
@click.option(
    "--needs", metavar="CAPS", default="", help="Also needed: tools, vision, reasoning, json, audio."
)
@reads
def recommend_models(session: Session, task: str, budget: str, needs: str) -> int:
    """The models that suit a task and a budget, the best first, and why the others do not.

    First come models whose abilities somebody states, then those only guessed from a name; among equals the cheaper
    run, then the faster. The price is that of the task's typical run; for a chat, that of your own typical run.
    """

    async def work(services: Services) -> None:
        from services.recommend import recommend, wish_of

        advice = await recommend(services, wish_of(task, budget, needs))
        session.emit(_document(advice), lambda: _text(advice))

    return session.run(work, asks=False)


def _document(advice: Advice) -> dict[str, object]:
    from cli import documents

    return {
        "task": advice.wish.task,
        "budget_usd": documents.usd(advice.wish.budget),
        "needs": list(advice.wish.wanted),
        "typical_run": {"input": advice.run.input, "output": advice.run.output, "yours": advice.yours},
        "models": [_verdict(verdict) for verdict in advice.verdicts],
    }


def _verdict(verdict: Verdict) -> dict[str, object]:
    from cli import documents

    one = verdict.candidate
    grade = "own" if one.own else "unknown" if one.cost is None else "estimated"
    return {
        "model": verdict.ref,
        "rank": verdict.rank,
        "standing": verdict.standing,
        "cost_usd": documents.usd(one.cost),
        "cost_grade": grade,
        "context_window": one.context_window,
        "runs": one.runs,
        "failed": one.failed,
        "ttft_ms": one.ttft_ms,
        "tok_per_s": None if one.tok_per_s is None else round(one.tok_per_s, 1),
        "reasons": [
            {"about": reason.about, "good": reason.good, "text": reason.text} for reason in verdict.reasons
        ],
    }


def _text(advice: Advice) -> str:
    if not advice.verdicts:
        return "No models. Fetch them: switchroom sync"
    parts = [_heading(advice)]
    fitting = [verdict for verdict in advice.verdicts if verdict.rank is not None]
    if fitting:
        parts.append(_ranked(fitting[:_SHOWN]))
        if len(fitting) > _SHOWN:
            parts.append(f"and {len(fitting) - _SHOWN:,} more that fit; --json has all.")
    else:
        parts.append("None of the models is recommended.")
    if others := _others(advice):
        parts.append(others)
    return "\n\n".join(parts)


def _ranked(verdicts: Sequence[Verdict]) -> str:
    """The recommended ones as a table; the reason stands below its model where the terminal is too narrow for both."""
    from cli.output import table

    titles, right = ("#", "MODEL", "$/RUN", "TOK/S", "WHY"), ("#", "$/RUN", "TOK/S")
    rows = [(str(one.rank), one.ref, _cost(one), _speed(one), one.why) for one in verdicts]
    whole = table(titles, rows, right=right)
    columns = shutil.get_terminal_size().columns
    if not sys.stdout.isatty() or max(map(len, whole.split("\n"))) <= columns:
        return whole
    head, *lines = table(titles[:-1], [row[:-1] for row in rows], right=right).split("\n")
    pairs = zip(lines, verdicts, strict=True)
    return "\n".join([head, *(f"{line}\n    {one_line(one.why, columns - 4)}" for line, one in pairs)])


def _heading(advice: Advice) -> str:
    from catalog.recommend import TASKS

    whose = "your typical run" if advice.yours else f"a typical run ({TASKS[advice.wish.task].words})"
    needs = f" with {', '.join(advice.wish.extra)}" if advice.wish.extra else ""
    budget = advice.wish.budget
    limit = "any price" if budget is None else f"at most ${budget.normalize():f} a run"
    return f"{advice.wish.task}{needs}, {limit}: {whose} is {advice.run.input:,} tokens in, {advice.run.output:,} out."


def _others(advice: Advice) -> str:
    """A line for each kind that is not recommended, its first models named with why."""
    from catalog.recommend import STANDING_WORDS, STANDINGS

    lines = []
    for standing in STANDINGS[1:]:
        found = [verdict for verdict in advice.verdicts if verdict.standing == standing]
        if not found:
            continue
        lines.append(f"{STANDING_WORDS[standing]} ({len(found):,}):")
        lines += [f"  {one_line(verdict.ref, 60)}: {one_line(verdict.why)}" for verdict in found[:_NAMED]]
        if len(found) > _NAMED:
            lines.append(f"  and {len(found) - _NAMED:,} more")
    return "\n".join(lines)


def _cost(verdict: Verdict) -> str:
    from cli.output import dollars

    one = verdict.candidate
    return "own" if one.own else "unknown" if one.cost is None else dollars(one.cost)


def _speed(verdict: Verdict) -> str:
    speed = verdict.candidate.tok_per_s
    return "-" if speed is None else f"{speed:.0f}"
