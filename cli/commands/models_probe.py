"""`switchroom models probe` and `models say`: what models can do, asked of themselves or said by the user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cli.session import Session, changes

if TYPE_CHECKING:
    from services.container import Services
    from services.models import ModelView
    from services.probe import ProbeResult, ProbeWork
    from services.probe_plan import ProbePlan


@click.command("probe")
@click.argument("refs", nargs=-1, required=True, metavar="REF …")
@click.option(
    "--cap", "caps", metavar="NAMES", help="Only these: tools, vision, json, reasoning, with commas."
)
@click.option(
    "--allow-unpriced", is_flag=True, help="Ask although the price is unknown and a limit is in force."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="Seconds for one question, waiting included.",
)
@click.option(
    "--retries", type=click.IntRange(0, 100), metavar="N", help="Attempts of a question after the first."
)
@changes
def probe_models(
    session: Session, refs: tuple[str, ...], caps: str | None, allow_unpriced: bool, timeout: float | None, retries: int | None
) -> int:  # fmt: skip
    """Ask models what they can do: a tool call, a picture, an answer of a schema, a puzzle.

    What they show is kept with its date. --dry-run says what it would cost and asks nothing.
    Progress goes to standard error. A "no" is an answer; what could not be told leaves things as they were.
    """

    async def work(services: Services) -> int:
        from catalog.capabilities import PROBED
        from services.probe import Options

        names = [name.strip() for name in caps.split(",") if name.strip()] if caps is not None else PROBED
        plan = await services.probes.plan(refs, names)
        _refuse_nothing(plan)
        if session.dry_run:
            session.emit(
                _document(plan, (), (), dry_run=True), lambda: f"Would ask {_cost(plan)}. Nothing was sent."
            )
            return 0
        if not session.json:
            _note(f"Asking {_cost(plan)}.")
        round_ = services.probes.start(plan, Options(allow_unpriced, retries, timeout))
        status = await _watched(services, round_, quiet=session.json)
        asked = [await services.models.get(model.view.ref) for model in plan.models]
        session.emit(_document(plan, round_.results, asked), lambda: _text(plan, round_, asked))
        return status

    return session.run(work)


def _refuse_nothing(plan: ProbePlan) -> None:
    from catalog.errors import UsageError

    if not plan.models:
        ref, why = plan.skipped[0]
        raise UsageError(f"{ref} is not asked: {why}.", hint="Name a model that chats and is offered.")


async def _watched(services: Services, work: ProbeWork, *, quiet: bool) -> int:
    """Show the answers as they come; the exit status. A signal stops it, and what was answered is kept."""
    import asyncio

    from cli.failures import INTERRUPTED, say, status_of
    from services.feed import ProbeProgress

    told = 0

    def tell(_event: ProbeProgress) -> None:
        nonlocal told
        for result in work.results[told:]:
            told += 1
            _note(
                f"{told} of {work.plan.questions}: {result.model} {_title(result.capability)}: {_answer(result)}, {result.detail}"
            )

    if not quiet:
        services.feed.subscribe(tell, ProbeProgress)
    try:
        await work.wait()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
        await services.probes.aclose()
        return INTERRUPTED
    error = next((result.error for result in work.results if result.error is not None), None)
    if error is None:
        return 0
    say(error)
    return status_of(error)


def _note(text: str) -> None:
    from cli.output import note

    note(text)


def _title(capability: str) -> str:
    from catalog.capabilities import NAMES

    return NAMES.get(capability, capability)


def _answer(result: ProbeResult) -> str:
    return "could not be told" if result.can is None else "yes" if result.can else "no"


def _cost(plan: ProbePlan) -> str:
    """`2 models 8 questions ($0.0012–$0.0200, 1 at an unknown price)`."""
    from cli.output import dollars

    models, cost = len(plan.models), plan.cost
    words = f"{models} model{'s' * (models != 1)} {plan.questions} question{'s' * (plan.questions != 1)}"
    priced = models - plan.own - len(plan.unknown)
    parts = []
    if priced:
        parts.append(f"{dollars(cost.low)}–{dollars(cost.high)}")
    if plan.unknown:
        parts.append(f"{len(plan.unknown)} at an unknown price" if priced else "an unknown price")
    if plan.own:
        parts.append(
            f"{plan.own} without a price per token" if priced or plan.unknown else "no price per token"
        )
    return f"{words} ({', '.join(parts)})"


def _document(
    plan: ProbePlan, results: Sequence[ProbeResult], views: Sequence[ModelView], *, dry_run: bool = False
) -> dict[str, object]:
    from cli import documents
    from cli.failures import document as error_document

    priced = len(plan.models) - plan.own - len(plan.unknown)
    cost = {"low": documents.usd(plan.cost.low), "high": documents.usd(plan.cost.high)}
    document: dict[str, object] = {
        "probes": [
            {
                "model": result.model,
                "capability": result.capability,
                "can": result.can,
                "detail": result.detail,
                "cost_usd": documents.usd(result.cost),
                "cost_grade": result.grade,
                "at": documents.moment(result.at),
                "error": None if result.error is None else error_document(result.error),
            }
            for result in results
        ],
        "models": [documents.model(view) for view in views],
        "skipped": [{"model": ref, "reason": why} for ref, why in plan.skipped],
        "estimate": {
            "questions": plan.questions,
            "cost_usd": cost if priced and not plan.unknown else None,
            "known_usd": cost if priced else None,
            "unknown": list(plan.unknown),
        },
    }
    if dry_run:
        document["dry_run"] = True
    return document


def _text(plan: ProbePlan, work: ProbeWork, views: Sequence[ModelView]) -> str:
    from catalog.capabilities import PROBED, ability
    from cli.output import dollars, table

    asked = [name for name in PROBED if any(name in model.prices for model in plan.models)]
    shown = {(result.model, result.capability): result for result in work.results}

    def cell(view: ModelView, name: str) -> str:
        result = shown.get((view.ref, name))
        if result is not None and result.can is not None:
            return _answer(result)
        before = ability(view.info, name, view.asked).mark
        return "could not be told" + (f" ({before})" if before != "—" else "")

    rows = [(view.ref, *(cell(view, name) for name in asked)) for view in views]
    lines = [table(("MODEL", *(_title(name).upper() for name in asked)), rows)]
    lines += [f"{ref} was not asked: {why}." for ref, why in plan.skipped]
    spent = f"It cost {dollars(work.spent)}."
    if work.spent_unknown:
        spent += f" What {work.spent_unknown} of the questions cost is unknown."
    if work.results and all(result.grade == "own" for result in work.results):
        spent = "There is no price per token."
    return "\n".join([*lines, "Stopped." if work.stopped else "", spent]).replace("\n\n", "\n")


_SAID = {"yes": True, "no": False, "unsaid": None}


@click.command("say")
@click.argument("ref")
@click.argument("words", nargs=-1, required=True, metavar="NAME=yes|no|unsaid …")
@changes
def say_model(session: Session, ref: str, words: tuple[str, ...]) -> int:
    """Say yourself what a model can do: tools=yes, vision=no; unsaid takes it back.

    It goes before what the model shows, its provider says and the catalog knows.
    """
    from catalog.types import CAPABILITIES

    said: dict[str, bool | None] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in CAPABILITIES or value not in _SAID:
            raise click.UsageError(f"Write NAME=yes, no or unsaid; NAME is one of {', '.join(CAPABILITIES)}.")
        said[name] = _SAID[value]

    async def work(services: Services) -> None:
        from cli import documents

        for name, can in said.items():
            await services.probes.say([ref], name, can)
        view = await services.models.get(ref)
        session.changed(
            {"model": documents.model(view)},
            did=f"{ref}: {', '.join(words)}.",
            would=f"note {', '.join(words)} for {ref}",
        )

    return session.run(work, asks=False)
