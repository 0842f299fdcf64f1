"""One run on the command line: followed to its end, and the exit status it ends with."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cli.failures import INTERRUPTED, say, status_of

if TYPE_CHECKING:
    from cli.chat_views import RunView
    from services.container import Services
    from services.run_events import RunRequest, RunResult
    from services.tool_loop import ToolLoop


async def follow(services: Services, request: RunRequest, view: RunView) -> RunResult:
    """The run to its end. A signal or a reader that went away stops it, and it is settled."""
    run = services.runs.start(request)
    try:
        async for event in run.events():
            view.take(event)
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


def ended(view: RunView, result: RunResult, loop: ToolLoop) -> int:
    """Show how it ended; the exit status."""
    view.finish(result, loop)
    if result.state == "cancelled":
        return INTERRUPTED
    if result.error is None:
        return 0
    say(result.error)
    return status_of(result.error)
