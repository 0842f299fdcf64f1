"""`switchroom task`: a translation or a transcript, by a model that does just that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.lazy import Nouns
from cli.session import Session, reads

if TYPE_CHECKING:
    from services.container import Services
    from services.run_events import RunRequest, RunResult

_MODEL = "The model, as PROVIDER/MODEL."


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that both tasks have."""
    options = (
        click.option("--allow-unpriced", is_flag=True, help="Send although the price is unknown and a limit is in force."),
        click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Seconds for all of it, waiting included."),
        click.option("--retries", type=click.IntRange(0, 100), metavar="N", help="Attempts after the first."),
        click.option("--label", "labels", multiple=True, metavar="K=V", help="A label for the ledger; repeat for more."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.group(cls=Nouns)
def command() -> None:
    """Translate a text or write down a recording, with models of a Hugging Face provider."""


@command.command("translate")
@click.option("-m", "--model", required=True, metavar="REF", help=_MODEL)
@click.option(
    "--source-lang", "source", metavar="LANG", help="From: a name, or the model's code (eng_Latn, en)."
)
@click.option(
    "--target-lang", "target", metavar="LANG", help="To: a name, or the model's code (deu_Latn, de)."
)
@_common
@click.argument("text", required=False)
@reads
def translate(
    session: Session,
    model: str,
    source: str | None,
    target: str | None,
    allow_unpriced: bool,
    timeout: float | None,
    retries: int | None,
    labels: tuple[str, ...],
    text: str | None,
) -> int:
    """Translate TEXT, or what standard input says."""
    from cli.values import read_pairs, read_prompt
    from services.tasks import translation

    request = translation(
        model,
        read_prompt(text),
        source,
        target,
        caller="cli",
        allow_unpriced=allow_unpriced,
        labels=read_pairs(labels, "--label"),
        timeout_s=timeout,
        retries=retries,
    )
    return _run(session, request)


@command.command("transcribe")
@click.option("-m", "--model", required=True, metavar="REF", help=_MODEL)
@click.option(
    "--file", "file", required=True, type=click.Path(path_type=Path), metavar="AUDIO", help="The recording."
)
@_common
@reads
def transcribe(
    session: Session,
    model: str,
    file: Path,
    allow_unpriced: bool,
    timeout: float | None,
    retries: int | None,
    labels: tuple[str, ...],
) -> int:
    """Write down what is said in a recording (FLAC, WAV, MP3, Ogg, M4A, WebM; at most 26 MB)."""
    from cli.values import read_pairs
    from services.tasks import model_of, transcription

    model_of(model)
    request = transcription(
        model,
        file,
        caller="cli",
        allow_unpriced=allow_unpriced,
        labels=read_pairs(labels, "--label"),
        timeout_s=timeout,
        retries=retries,
    )
    return _run(session, request)


def _run(session: Session, request: RunRequest) -> int:
    async def work(services: Services) -> int:
        from cli.chat_views import make_view
        from cli.failures import INTERRUPTED, say, status_of
        from services.tool_loop import ToolLoop

        view = make_view(json=session.json, jsonl=False)
        result = await _one(services, request, view.take)
        view.finish(result, ToolLoop((), 0))
        if result.state == "cancelled":
            return INTERRUPTED
        if result.error is None:
            return 0
        say(result.error)
        return status_of(result.error)

    return session.run(work)


async def _one(services: Services, request: RunRequest, take: Callable[[Any], None]) -> RunResult:
    """The run to its end; a signal stops it, and it is settled."""
    import asyncio

    run = services.runs.start(request)
    try:
        async for event in run.events():
            take(event)
        return await run.result()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
        await run.aclose()
        return await run.result()
    except BrokenPipeError:
        await run.aclose()
        raise
