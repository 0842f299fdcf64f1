"""`switchroom task`: a translation or a transcript, by a model that does just that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.lazy import Nouns
from cli.session import Session, reads

if TYPE_CHECKING:
    from services.container import Services
    from services.run_events import RunRequest

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


def _shared(common: Mapping[str, Any]) -> dict[str, Any]:
    """These options as a task's request takes them."""
    from cli.values import read_pairs

    return {
        "caller": "cli",
        "allow_unpriced": common["allow_unpriced"],
        "labels": read_pairs(common["labels"], "--label"),
        "timeout_s": common["timeout"],
        "retries": common["retries"],
    }


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
    text: str | None,
    **common: Any,
) -> int:
    """Translate TEXT, or what standard input says."""
    from cli.values import read_prompt
    from services.tasks import translation

    request = translation(model, read_prompt(text), source, target, **_shared(common))
    return _run(session, request)


@command.command("transcribe")
@click.option("-m", "--model", required=True, metavar="REF", help=_MODEL)
@click.option(
    "--file", "file", required=True, type=click.Path(path_type=Path), metavar="AUDIO", help="The recording."
)
@_common
@reads
def transcribe(session: Session, model: str, file: Path, **common: Any) -> int:
    """Write down what is said in a recording (FLAC, WAV, MP3, Ogg, M4A, WebM; at most 26 MB)."""
    from services.tasks import model_of, transcription

    model_of(model)
    return _run(session, transcription(model, file, **_shared(common)))


def _run(session: Session, request: RunRequest) -> int:
    async def work(services: Services) -> int:
        from cli.chat_views import make_view
        from cli.one_run import ended, follow
        from services.tool_loop import ToolLoop

        view = make_view(json=session.json, jsonl=False)
        return ended(view, await follow(services, request, view), ToolLoop((), 0))

    return session.run(work)
