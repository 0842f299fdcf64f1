"""`switchroom models`: the known models, switched on and off, and the default one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from cli.lazy import Nouns
from cli.session import Session, changes, may_change, reads

if TYPE_CHECKING:
    from services.container import Services
    from services.models import ModelView


@click.group(
    cls=Nouns,
    later={
        "map": "cli.commands.models_map:map_model",
        "price": "cli.commands.models_price:price_model",
        "probe": "cli.commands.models_probe:probe_models",
        "say": "cli.commands.models_probe:say_model",
        "recommend": "cli.commands.models_recommend:recommend_models",
        "search": "cli.commands.models_search:search_models",
        "pull": "cli.commands.models_local:pull_model",
        "delete": "cli.commands.models_local:delete_model",
        "copy": "cli.commands.models_local:copy_model",
        "installed": "cli.commands.models_local:installed_models",
        "running": "cli.commands.models_local:running_models",
    },
)
def command() -> None:
    """The known models: show, switch on and off, choose the default."""


@command.command("list")
@click.option("--provider", metavar="SLUG", help="Only this provider's.")
@click.option(
    "--cap", metavar="NAME", help="Only models that can do this: tools, vision, reasoning, json, audio."
)
@click.option("--enabled", is_flag=True, help="Only those switched on.")
@click.option("--filter", "text", metavar="TEXT", help="Only those whose name holds this text.")
@reads
def list_models(
    session: Session, provider: str | None, cap: str | None, enabled: bool, text: str | None
) -> int:
    """All models of all providers with context, price and abilities."""
    if cap is not None:
        _check_capability(cap)

    async def work(services: Services) -> None:
        from cli import documents

        if provider is not None:
            await services.registry.get(provider)
        views = await services.models.list(provider, capability=cap, enabled=enabled or None, text=text)
        session.emit({"models": [documents.model(view) for view in views]}, lambda: _table(views))

    return session.run(work, asks=False)


def _check_capability(name: str) -> None:
    from catalog.types import CAPABILITIES

    if name not in CAPABILITIES:
        raise click.UsageError(f"--cap takes one of {', '.join(CAPABILITIES)}.")


def _table(views: Sequence[ModelView]) -> str:
    from cli.output import count, table

    if not views:
        return "No models. Fetch them: switchroom sync"
    titles = ("MODEL", "STATE", "CONTEXT", "OUTPUT", "$IN/1M", "$OUT/1M", "CAN")
    rows = [
        (
            view.ref,
            _state(view),
            count(view.info.context_window),
            count(view.info.max_output),
            *_prices(view),
            _can(view),
        )
        for view in views
    ]
    return table(titles, rows, right=titles[2:6])


def _can(view: ModelView) -> str:
    """`tools vision?`: a question mark where only the name speaks for it."""
    from catalog.capabilities import ability

    able = [ability(view.info, name, view.asked) for name in view.info.capabilities or ()]
    return " ".join(f"{one.name}{'?' * one.guessed}" for one in able)


def _abilities(view: ModelView) -> list[tuple[str, str, str]]:
    """`tools ✓ asked 2026-11-21`, line by line."""
    from catalog.capabilities import abilities, source_words

    if not view.chat:
        return [("can", _can(view) or "unknown", view.info.sources.get("capabilities", ""))]
    return [(one.title, f"{one.mark} {source_words(one)}", "") for one in abilities(view.info, view.asked)]


def _state(view: ModelView) -> str:
    if not view.available:
        return "unavailable"
    if not view.enabled:
        return "off"
    return "on" if view.info.status in (None, "active") else str(view.info.status)


def _prices(view: ModelView) -> tuple[str, str]:
    from cli import documents

    if view.own_cost:
        return "own", "own"
    price = documents.price(view.info.price)
    if price is None:
        return "unknown", "unknown"
    return str(price["input"] or "unknown"), str(price["output"] or "unknown")


@command.command("show")
@click.argument("ref")
@reads
def show_model(session: Session, ref: str) -> int:
    """One model, and where each fact about it comes from."""

    async def work(services: Services) -> None:
        from catalog.errors import NotFoundError
        from cli import documents

        view = await services.models.get(ref)
        if not view.known:
            raise NotFoundError(
                f"No sync and no catalog knows the model {view.info.id} at {view.provider}.",
                hint=f"See them with 'switchroom models list --provider {view.provider}'.",
            )
        from services.provenance import as_of

        dates = as_of(services, view)
        document = documents.model(view) | {
            "as_of": {name: documents.moment(at) for name, at in dates.items()}
        }
        session.emit(document, lambda: _detail(view, document, dates))

    return session.run(work, asks=False)


def _detail(view: ModelView, document: dict[str, object], dates: Mapping[str, int]) -> str:
    from cli.output import count, pairs
    from services.clock import iso

    cost_in, cost_out = _prices(view)
    sources = {
        name: f"{source}, {(iso(dates[name]) or '')[:16].replace('T', ' ')} UTC" if name in dates else source
        for name, source in view.info.sources.items()
    }
    rows = [
        ("model", view.ref, ""),
        ("name", str(document["name"]), sources.get("name", "")),
        ("state", _state(view), ""),
        ("context", count(view.info.context_window), sources.get("context_window", "")),
        ("output", count(view.info.max_output), sources.get("max_output", "")),
        ("$ in per 1M", cost_in, sources.get("price", "")),
        ("$ out per 1M", cost_out, sources.get("price", "")),
        *_later(view),
        *_abilities(view),
    ]
    return pairs([(name, f"{value}  ({source})" if source else value) for name, value, source in rows])


def _later(view: ModelView) -> list[tuple[str, str, str]]:
    """The prices of later days."""
    from cli.output import plain_decimal

    changes = view.info.price.scheduled if view.info.price is not None and not view.own_cost else ()
    return [
        (
            f"from {change.from_date}",
            f"{plain_decimal(change.input) or 'as before'} in, {plain_decimal(change.output) or 'as before'} out",
            "typed" if change.whole else "announced",
        )
        for change in changes
    ]


def _switch(session: Session, refs: tuple[str, ...], on: bool) -> int:
    async def work(services: Services) -> None:
        from cli import documents

        await services.models.set_enabled(refs, on)
        views = [await services.models.get(ref) for ref in refs]
        verb = "enable" if on else "disable"
        session.changed(
            {"models": [{**documents.model(view), "enabled": on} for view in views]},
            did=f"{verb.capitalize()}d {', '.join(refs)}.",
            would=f"{verb} {', '.join(refs)}",
        )

    return session.run(work, asks=False)


@command.command("enable")
@click.argument("refs", nargs=-1, required=True, metavar="REF …")
@changes
def enable_models(session: Session, refs: tuple[str, ...]) -> int:
    """Offer these models."""
    return _switch(session, refs, on=True)


@command.command("disable")
@click.argument("refs", nargs=-1, required=True, metavar="REF …")
@changes
def disable_models(session: Session, refs: tuple[str, ...]) -> int:
    """Offer these models no more."""
    return _switch(session, refs, on=False)


@command.command("default")
@click.argument("ref", required=False)
@click.option("--clear", is_flag=True, help="Go back to the first provider's default.")
@may_change
def default_model(session: Session, ref: str | None, clear: bool) -> int:
    """The model of new chats; with REF, choose it."""
    if clear and ref is not None:
        raise click.UsageError("Give REF or --clear, not both.")
    if clear or ref is not None:
        session.require_writable()

    async def work(services: Services) -> None:
        if ref is None and not clear:
            chosen = await services.models.default()
            session.emit(
                {"default": chosen}, lambda: chosen or "No default. Choose one: switchroom models default REF"
            )
            return
        await services.models.set_default(ref)
        now = ref if ref is not None else await services.models.default()
        session.changed(
            {"default": now},
            did=f"The default is {now or 'not set'}.",
            would=f"make {ref} the default" if ref else "clear the default",
        )

    return session.run(work, asks=False)
