"""`switchroom models pull`, `delete`, `copy`, `installed` and `running`: the models that lie on a provider's machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.session import Session, changes, reads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.container import Services
    from services.pulls import Pull
    from services.shelves import LocalModel, Shelf

_EVERY_S = 2.0
"""Seconds between two lines of progress where they cannot be written over each other."""


@click.command("pull")
@click.argument("slug")
@click.argument("model")
@changes
def pull_model(session: Session, slug: str, model: str) -> int:
    """Download MODEL to the provider SLUG; one that was stopped goes on where it was.

    Progress goes to standard error. Ctrl+c stops it; what has arrived is kept.
    """

    async def work(services: Services) -> int:
        if session.dry_run:
            name = await services.local_models.plan(slug, model)
            session.changed(
                {"pull": {"provider": slug, "model": name}}, did="", would=f"pull {name} to {slug}"
            )
            return 0
        pull = await services.local_models.pull(slug, model)
        status = await _watched(services, pull, quiet=session.json)
        from catalog.sizes import size_words
        from cli import documents
        from cli.failures import document as error_document

        document: dict[str, object] = {
            "provider": slug,
            "model": pull.model,
            "state": pull.state,
            "completed_bytes": pull.completed,
            "total_bytes": pull.total,
            "started_at": documents.moment(pull.started),
            "ended_at": documents.moment(pull.ended),
        }
        error = None if pull.error is None else error_document(pull.error)
        if error is not None:
            document["error"] = error
        kept = "It goes on from there" if pull.keeps_parts else "Whole files are kept, a cut one begins anew"
        words = {
            "done": f"{pull.model} is at {slug}, {size_words(pull.total)}.",
            "stopped": f"Stopped at {size_words(pull.completed)} of {size_words(pull.total)}."
            f" {kept}: switchroom models pull {slug} {pull.model}",
        }
        if session.json or pull.state in words:  # why it failed was said
            whole = {"pull": document} if error is None else {"pull": document, "error": error}
            session.emit(whole, lambda: words[pull.state])
        return status

    return session.run(work)


async def _watched(services: Services, pull: Pull, *, quiet: bool) -> int:
    """Show how far it is; the exit status. A signal stops it."""
    import asyncio

    from catalog.errors import SwitchroomError
    from cli.failures import INTERRUPTED, say, status_of
    from services.feed import PullChanged

    line = _Line()
    if not quiet:
        services.feed.subscribe(lambda _event: line.show(pull), PullChanged)
    try:
        await services.local_models.wait(pull)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
        await services.local_models.cancel(pull)
        line.end()
        return INTERRUPTED
    except SwitchroomError as error:
        line.end()
        say(error)
        return status_of(error)
    line.end()
    return INTERRUPTED if pull.state == "stopped" else 0


class _Line:
    """One line on a terminal that is written over; elsewhere a line now and then."""

    def __init__(self) -> None:
        import sys

        self._over = sys.stderr.isatty()
        self._said = ""
        self._at = 0.0

    def show(self, pull: Pull) -> None:
        import shutil
        import time

        if pull.over:
            return
        words = _progress(pull)
        if self._over:
            room = shutil.get_terminal_size().columns - 1
            click.echo(f"\r{words[:room]:<{room}}", nl=False, err=True)
        elif words != self._said and time.monotonic() - self._at >= _EVERY_S:
            self._at = time.monotonic()
            click.echo(words, err=True)
        self._said = words

    def end(self) -> None:
        if self._over and self._said:
            click.echo("", err=True)


def _progress(pull: Pull) -> str:
    """`llama3.2: 412 MB of 2.0 GB, 20 %, 48 MB/s, 33 s left`."""
    from catalog.sizes import size_words

    name = f"{pull.provider}/{pull.model}"
    if pull.state == "reconnecting":
        return f"{name}: the connection broke; trying again"
    if pull.state == "syncing":
        return f"{name}: taking the new list over"
    if pull.share is None:
        return f"{name}: {pull.status or 'asking'}"
    parts = [
        f"{size_words(pull.completed)} of {size_words(pull.total)}",
        f"{int(pull.share * 100)} %",
    ]
    if pull.rate is not None:
        parts.append(f"{size_words(pull.rate)}/s")
    if pull.left_s is not None:
        parts.append(f"{_left(pull.left_s)} left")
    elif pull.nearly:
        parts.append(pull.status)
    return f"{name}: {', '.join(parts)}"


def _left(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 90 else f"{whole // 60} min" if whole < 5400 else f"{whole / 3600:.1f} h"


@click.command("delete")
@click.argument("slug")
@click.argument("model")
@changes
def delete_model(session: Session, slug: str, model: str) -> int:
    """Remove MODEL from the disk of the provider SLUG."""

    async def work(services: Services) -> None:
        await services.local_models.delete(slug, model)
        session.changed(
            {"deleted": {"provider": slug, "model": model}},
            did=f"{model} is no longer at {slug}.",
            would=f"delete {model} at {slug}",
        )

    return session.run(work)


@click.command("copy")
@click.argument("slug")
@click.argument("model")
@click.argument("name")
@changes
def copy_model(session: Session, slug: str, model: str, name: str) -> int:
    """Give MODEL at the provider SLUG a second NAME; nothing is stored twice."""

    async def work(services: Services) -> None:
        await services.local_models.copy(slug, model, name)
        session.changed(
            {"copied": {"provider": slug, "model": model, "name": name}},
            did=f"{model} is also {name} at {slug}.",
            would=f"name {model} at {slug} also {name}",
        )

    return session.run(work)


@click.command("installed")
@click.argument("slug")
@reads
def installed_models(session: Session, slug: str) -> int:
    """The models on the disk of the provider SLUG, with their sizes."""
    return _shelf(session, slug, loaded=False)


@click.command("running")
@click.argument("slug")
@reads
def running_models(session: Session, slug: str) -> int:
    """The models that the provider SLUG has loaded now, and what they take of its memory."""
    return _shelf(session, slug, loaded=True)


def _shelf(session: Session, slug: str, *, loaded: bool) -> int:
    async def work(services: Services) -> None:
        shelf = await services.local_models.shelf(slug)
        if loaded and shelf.error is not None:
            raise shelf.error
        models = [model for model in shelf.models if model.loaded or not loaded]
        document: dict[str, object] = {"provider": slug, "models": [_document(model) for model in models]}
        session.emit(document, lambda: (_running if loaded else _installed)(models, shelf))

    return session.run(work)


def _document(model: LocalModel) -> dict[str, object]:
    from cli import documents

    running = model.running
    return {
        "id": model.id,
        "ref": model.ref,
        "size_bytes": model.size_bytes,
        "state": model.state,
        "modified_at": documents.moment(model.modified_at),
        "digest": model.fingerprint,
        "details": dict(model.details),
        "loaded": model.loaded,
        "memory_bytes": running.size_bytes if running else None,
        "vram_bytes": running.vram_bytes if running else None,
        "context": running.context if running else None,
        "window": model.window,
        "unloads_at": documents.moment(running.expires_at) if running else None,
    }


def _installed(models: Sequence[LocalModel], shelf: Shelf) -> str:
    from catalog.sizes import size_words
    from cli.output import table
    from services.clock import iso

    if not models:
        return f"{shelf.provider} holds no models. Get one: switchroom models pull {shelf.provider} MODEL"
    titles = ("MODEL", "SIZE", "PARAMETERS", "QUANTIZATION", "LOADED", "CHANGED")
    rows = [
        (
            model.id,
            size_words(model.size_bytes) if "runs_at" not in model.details else "cloud",
            str(model.details.get("parameters", "—")),
            str(model.details.get("quantization", "—")),
            {None: "—", True: "yes", False: "no"}[model.loaded],
            (iso(model.modified_at) or "—")[:10],
        )
        for model in models
    ]
    return f"{table(titles, rows, right=titles[1:3])}\n{size_words(shelf.size_bytes)} in all."


def _running(models: Sequence[LocalModel], shelf: Shelf) -> str:
    from catalog.sizes import size_words
    from cli.output import count, table
    from services.clock import now_ms

    if not models:
        return f"{shelf.provider} has no model loaded."
    titles = ("MODEL", "MEMORY", "ON THE GPU", "CONTEXT", "UNLOADS")
    rows, now = [], now_ms()
    for model in models:
        running = model.running
        assert running is not None
        until = running.expires_at
        unknown = "never" if running.stays else "—"
        rows.append(
            (
                model.id,
                size_words(running.size_bytes),
                _on_gpu(running.vram_bytes, running.size_bytes),
                count(running.context),
                unknown if until is None else "now" if until <= now else f"in {_left((until - now) / 1000)}",
            )
        )
    return table(titles, rows, right=titles[1:4])


def _on_gpu(vram: int | None, size: int | None) -> str:
    if vram is None or not size:
        return "—"
    return f"{vram / size:.0%}".replace("%", " %")
