"""`switchroom chat`: one run, drawn as it comes: text, one JSON document, or one JSON event a line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.session import Session, reads

if TYPE_CHECKING:
    from cli.chat_views import RunView
    from services.container import Services
    from services.run_events import RunRequest, RunResult
    from services.tool_loop import ToolLoop
    from services.tool_specs import Tool

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option(
    "-m", "--model", metavar="REF", help="The model, as PROVIDER/MODEL; without it, the default one."
)
@click.option("--system", metavar="TEXT", help="The system prompt.")
@click.option("--max-tokens", type=click.IntRange(1, 1_000_000_000), metavar="N", help="The longest answer.")
@click.option("--temperature", type=click.FloatRange(min=0, max=2), metavar="T")
@click.option(
    "--tools", metavar="NAME|FILE", help="Tools the model may call: a set of config/tools, or a JSON file."
)
@click.option("--tool-choice", metavar="CHOICE", help="auto, none, required, or the name of a tool.")
@click.option(
    "--tool-result",
    "results",
    multiple=True,
    metavar="NAME=TEXT",
    help="What a tool answers, in the place of its mock; @FILE reads it from a file; repeat for more.",
)
@click.option(
    "--tool-rounds",
    type=click.IntRange(0, 100),
    metavar="N",
    help="How often mocked tools answer by themselves; without it, the setting's.",
)
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
    tools: str | None,
    tool_choice: str | None,
    results: tuple[str, ...],
    tool_rounds: int | None,
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

    The answer goes to standard output; waiting, retries and what it cost to standard error. Calls of tools that have
    a mock are answered, each time by a run of its own, until the model is done.
    """
    if session.json and jsonl:
        raise click.UsageError("--json and --jsonl exclude each other.")
    from adapters.events import Message
    from cli.chat_views import make_view
    from cli.values import read_images, read_pairs, read_prompt, read_results
    from services.run_events import RunRequest
    from services.tool_loop import ToolLoop, checked_choice, with_results

    pictures, named, answers = read_images(images), read_pairs(labels, "--label"), read_results(results)
    functions = with_results(_tools(tools), answers)
    choice = checked_choice(tool_choice, functions)
    message = Message("user", read_prompt(prompt), images=pictures)
    view = make_view(json=session.json, jsonl=jsonl)

    async def work(services: Services) -> int:
        request = RunRequest(
            model=await chosen_model(services, model),
            messages=(message,),
            system=system,
            max_tokens=max_tokens if max_tokens is not None else services.settings.chat.max_tokens,
            temperature=temperature if temperature is not None else services.settings.chat.temperature,
            tools=tuple(tool.spec for tool in functions),
            tool_choice=choice,
            stream=not no_stream,
            labels=named,
            allow_unpriced=allow_unpriced,
            retries=retries,
            timeout_s=timeout,
        )
        rounds = tool_rounds if tool_rounds is not None else services.settings.chat.tool_rounds
        return await _draw(services, request, view, ToolLoop(functions, rounds))

    return session.run(work)


def _tools(given: str | None) -> tuple[Tool, ...]:
    """The tools that were named; a name is looked for before anything is opened."""
    if given is None:
        return ()
    from services.paths import resolve
    from services.tool_sets import found

    return found(resolve().tools, given)


async def chosen_model(services: Services, ref: str | None) -> str:
    """The model that was named, else the default one."""
    from catalog.errors import UsageError

    chosen = ref if ref is not None else await services.models.default()
    if chosen is None:
        raise UsageError(
            "There is no default model.", hint="Name one with -m, or choose it: switchroom models default REF"
        )
    return chosen


async def _draw(services: Services, request: RunRequest, view: RunView, loop: ToolLoop) -> int:
    """Show the runs to their end; the exit status. A refusal after the first round ends it with what there is."""
    from catalog.errors import SwitchroomError
    from cli.one_run import ended, follow
    from services.tool_loop import next_request

    result: RunResult | None = None
    while True:
        try:
            result = await follow(services, request, view)
        except SwitchroomError as refusal:
            if result is None:
                raise
            return ended(view, replace(result, error=refusal), loop)
        answers = loop.after(result)
        if not answers:
            return ended(view, result, loop)
        view.answered(result, answers)
        request = next_request(request, result, answers)
