"""`switchroom chat`: one run, drawn as it comes: text, one JSON document, or one JSON event a line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.session import Session, reads

if TYPE_CHECKING:
    from cli.chat_views import RunView
    from services.container import Services
    from services.run_events import RunRequest, RunResult

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option(
    "-m", "--model", metavar="REF", help="The model, as PROVIDER/MODEL; without it, the default one."
)
@click.option("--system", metavar="TEXT", help="The system prompt.")
@click.option("--max-tokens", type=click.IntRange(min=1), metavar="N", help="The longest answer.")
@click.option("--temperature", type=click.FloatRange(min=0, max=2), metavar="T")
@click.option("--tools", type=_FILE, metavar="FILE", help="JSON: a list of tools the model may call.")
@click.option(
    "--image", "images", type=_FILE, multiple=True, metavar="FILE", help="An image to send; repeat for more."
)
@click.option("--no-stream", is_flag=True, help="Ask for the answer in one piece.")
@click.option(
    "--allow-unpriced", is_flag=True, help="Send although the price is unknown and a limit is in force."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="Seconds for all of it, waiting included.",
)
@click.option("--retries", type=click.IntRange(0, 100), metavar="N", help="Attempts after the first.")
@click.option(
    "--label", "labels", multiple=True, metavar="K=V", help="A label for the ledger; repeat for more."
)
@click.option("--jsonl", is_flag=True, help="Print one JSON event a line.")
@click.argument("prompt", required=False)
@reads
def command(
    session: Session,
    model: str | None,
    system: str | None,
    max_tokens: int | None,
    temperature: float | None,
    tools: Path | None,
    images: tuple[Path, ...],
    no_stream: bool,
    allow_unpriced: bool,
    timeout: float | None,
    retries: int | None,
    labels: tuple[str, ...],
    jsonl: bool,
    prompt: str | None,
) -> int:
    """Ask a model. Without PROMPT it is read from standard input.

    The answer goes to standard output; waiting, retries and what it cost to standard error.
    """
    if session.json and jsonl:
        raise click.UsageError("--json and --jsonl exclude each other.")
    from adapters.events import Message
    from cli.chat_views import make_view
    from cli.values import read_images, read_pairs, read_prompt, read_tools
    from services.run_events import RunRequest

    functions, pictures, named = read_tools(tools), read_images(images), read_pairs(labels, "--label")
    message = Message("user", read_prompt(prompt), images=pictures)
    view = make_view(json=session.json, jsonl=jsonl)

    async def work(services: Services) -> int:
        request = RunRequest(
            model=await chosen_model(services, model),
            messages=(message,),
            system=system,
            max_tokens=max_tokens if max_tokens is not None else services.settings.chat.max_tokens,
            temperature=temperature if temperature is not None else services.settings.chat.temperature,
            tools=functions,
            stream=not no_stream,
            labels=named,
            allow_unpriced=allow_unpriced,
            retries=retries,
            timeout_s=timeout,
        )
        return await _draw(services, request, view)

    return session.run(work)


async def chosen_model(services: Services, ref: str | None) -> str:
    """The model that was named, else the default one."""
    from catalog.errors import UsageError

    chosen = ref if ref is not None else await services.models.default()
    if chosen is None:
        raise UsageError(
            "There is no default model.", hint="Name one with -m, or choose it: switchroom models default REF"
        )
    return chosen


async def _draw(services: Services, request: RunRequest, view: RunView) -> int:
    """Show the run to its end; the exit status. A signal or a reader that went away stops it, and it is settled."""
    import asyncio

    run = services.runs.start(request)
    try:
        async for event in run.events():
            view.take(event)
        result = await run.result()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
        await run.aclose()
        result = await run.result()
    except BrokenPipeError:
        await run.aclose()
        raise
    return _ended(view, result)


def _ended(view: RunView, result: RunResult) -> int:
    from cli.failures import INTERRUPTED, say, status_of

    view.finish(result)
    if result.state == "cancelled":
        return INTERRUPTED
    if result.error is None:
        return 0
    say(result.error)
    return status_of(result.error)
