"""`switchroom models search`: models that a provider's hub offers, beyond those it lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.session import Session, reads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.abilities import FoundModel
    from services.container import Services


@click.command("search")
@click.argument("slug")
@click.argument("text")
@click.option(
    "--task", metavar="NAME", help="Only models for it: translate, transcribe, or the hub's own word."
)
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, metavar="N")
@reads
def search_models(session: Session, slug: str, text: str, task: str | None, limit: int) -> int:
    """Look for models on the hub of the provider SLUG, the most downloaded first."""

    async def work(services: Services) -> None:
        from services.hub import search

        found = await search(services, slug, text, task, limit)
        document = [
            {
                "ref": f"{slug}/{one.id}",
                "id": one.id,
                "task": one.task,
                "downloads": one.downloads,
                "likes": one.likes,
                "library": one.library,
                "gated": one.gated,
            }
            for one in found
        ]
        session.emit({"models": document}, lambda: _table(found))

    return session.run(work)


def _table(found: Sequence[FoundModel]) -> str:
    from cli.output import count, table

    if not found:
        return "The hub has no such model."
    rows = [
        (one.id, one.task or "—", count(one.downloads), count(one.likes), "gated" if one.gated else "")
        for one in found
    ]
    return table(("MODEL", "TASK", "DOWNLOADS", "LIKES", ""), rows, right=("DOWNLOADS", "LIKES"))
