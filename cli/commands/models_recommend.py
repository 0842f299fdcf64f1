"""`switchroom models recommend`: which models suit a task and a budget, and why the others do not."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

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
    from cli.output import table

    if not advice.verdicts:
        return "No models. Fetch them: switchroom sync"
    parts = [_heading(advice)]
    fitting = [verdict for verdict in advice.verdicts if verdict.rank is not None]
    if fitting:
        titles = ("#", "MODEL", "$/RUN", "TOK/S", "WHY")
        rows = [
            (str(verdict.rank), verdict.ref, _cost(verdict), _speed(verdict), verdict.why)
            for verdict in fitting[:_SHOWN]
        ]
        parts.append(_cut(table(titles, rows, right=("#", "$/RUN", "TOK/S"))))
        if len(fitting) > _SHOWN:
            parts.append(f"and {len(fitting) - _SHOWN:,} more that fit; --json has all.")
    else:
        parts.append("None of the models is recommended.")
    if others := _others(advice):
        parts.append(others)
    return "\n\n".join(parts)


def _cut(text: str) -> str:
    """The lines as long as the terminal is wide; whole where they go into a file or a program."""
    if not sys.stdout.isatty():
        return text
    columns = shutil.get_terminal_size().columns
    return "\n".join(one if len(one) <= columns else f"{one[: columns - 1]}…" for one in text.split("\n"))


def _heading(advice: Advice) -> str:
    from catalog.recommend import TASKS

    whose = "your typical run" if advice.yours else f"a typical run ({TASKS[advice.wish.task].words})"
    needs = f" with {', '.join(advice.wish.extra)}" if advice.wish.extra else ""
    budget = advice.wish.budget
    limit = "any price" if budget is None else f"at most ${budget.normalize():f} a run"
    return f"{advice.wish.task}{needs}, {limit}: {whose} is {advice.run.input:,} tokens in, {advice.run.output:,} out."


def _others(advice: Advice) -> str:
    """A line for each kind that is not recommended, its first models named with why."""
    from catalog.plaintext import one_line
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
