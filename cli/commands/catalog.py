"""`switchroom catalog`: the vendors that are known without asking anybody, and the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cli.commands.catalog_diff import diff
from cli.lazy import Nouns
from cli.session import Session, changes, reads

if TYPE_CHECKING:
    from catalog.lookup import Catalog
    from catalog.refreshed import Head, Note
    from catalog.types import CatalogProvider, ProviderSpec
    from catalog.user import Problem
    from services.catalog_refresh import RefreshResult
    from services.container import Services


@click.group(cls=Nouns)
def command() -> None:
    """The vendors that are known without asking anybody."""


command.add_command(diff)


def _catalog() -> Catalog:
    """The catalog with fetched facts and the user's files; files that are not used are named on standard error."""
    from catalog.lookup import Catalog
    from cli.output import note
    from services.catalog_sources import addresses
    from services.paths import resolve
    from services.settings import load

    paths = resolve()
    catalog = Catalog(paths.user_catalog, paths.refreshed_catalog, addresses(load(paths)))
    for problem in catalog.problems:
        note(f"Skipped {problem}")
    return catalog


@command.command("list")
@reads
def list_catalog(session: Session) -> None:
    """All known vendors."""
    catalog = _catalog()
    specs = catalog.specs()
    rows: list[dict[str, object]] = []
    for spec in specs:
        vendor = catalog.provider(spec.id)
        rows.append({**_head(spec), "models": len(vendor.models) if vendor else 0})
    document: dict[str, object] = {
        "providers": rows,
        "facts_of": _facts_date(),
        "refreshed": [_list_document(head) for head in catalog.refreshed.heads.values()],
        "problems": [_problem(problem) for problem in catalog.problems],
    }
    session.emit(document, lambda: _table(rows))


def _facts_date() -> str:
    from catalog.bundled import facts_date

    return facts_date()


def _list_document(head: Head) -> dict[str, object]:
    from cli import documents

    return {
        "source": head.source,
        "url": head.url,
        "models": head.models,
        "fetched_at": documents.moment(head.fetched_at),
        "checked_at": documents.moment(max(head.checked_at, head.fetched_at)),
    }


def _problem(problem: Problem | Note) -> dict[str, object]:
    return {"file": str(problem.file), "line": getattr(problem, "line", None), "reason": problem.reason}


def _head(spec: ProviderSpec) -> dict[str, object]:
    return {"id": spec.id, "name": spec.name, "type": spec.dialect, "endpoint": spec.endpoint}


def _table(rows: list[dict[str, object]]) -> str:
    from cli.output import table

    return table(
        ("ID", "NAME", "TYPE", "MODELS", "ENDPOINT"),
        [tuple(str(row[name]) for name in ("id", "name", "type", "models", "endpoint")) for row in rows],
        right=("MODELS",),
    )


@command.command("show")
@click.argument("vendor_id", metavar="ID")
@reads
def show_vendor(session: Session, vendor_id: str) -> None:
    """One vendor with its models and list prices."""
    from difflib import get_close_matches

    from catalog.errors import NotFoundError
    from cli import documents

    catalog = _catalog()
    vendor = catalog.provider(vendor_id)
    if vendor is None:
        near = get_close_matches(vendor_id, [spec.id for spec in catalog.specs()], n=1)
        hint = f"Did you mean {near[0]}?" if near else "See 'switchroom catalog list'."
        raise NotFoundError(f"The catalog has no vendor {vendor_id}.", hint=hint)
    models = [
        {
            "ref": f"{vendor.id}/{info.id}",
            "provider": vendor.id,
            **documents.model_facts(info),
            "enabled": None,
            "status": info.status or "active",
            "sources": dict(info.sources),
        }
        for info in vendor.models
    ]
    document: dict[str, object] = {
        **_head(vendor),
        "models": models,
        "key_env": list(vendor.env.key),
        "key_url": vendor.key_url,
        "docs_url": vendor.docs_url,
    }
    session.emit(document, lambda: _vendor(vendor))


def _vendor(vendor: CatalogProvider) -> str:
    from cli import documents
    from cli.output import count, pairs, table

    head = [
        ("id", vendor.id),
        ("name", vendor.name),
        ("type", vendor.dialect),
        ("endpoint", vendor.endpoint),
        ("key from", vendor.key_url or "–"),
        ("key variable", " ".join(vendor.env.key) or "–"),
    ]
    titles = ("MODEL", "CONTEXT", "OUTPUT", "$IN/1M", "$OUT/1M", "CAN")
    rows = []
    for info in vendor.models:
        price = documents.price(info.price) or {}
        costs = (str(price.get("input") or "unknown"), str(price.get("output") or "unknown"))
        can = " ".join(info.capabilities or ())
        rows.append((info.id, count(info.context_window), count(info.max_output), *costs, can))
    return pairs(head) + ("\n\n" + table(titles, rows, right=titles[1:5]) if rows else "")


@command.command("path")
@reads
def show_paths(session: Session) -> None:
    """Where the bundled, the fetched and the user's files lie."""
    from importlib.resources import files

    from cli.output import pairs
    from services.paths import resolve

    paths = resolve()
    document = {
        "bundled": str(files("catalog") / "data"),
        "user_catalog": str(paths.user_catalog),
        "refreshed": str(paths.refreshed_catalog),
    }
    session.emit(document, lambda: pairs(list(document.items())))


@command.command()
@click.option(
    "--source", "sources", multiple=True, metavar="NAME", help="Only genai, catwalk, modelsdev or openrouter."
)
@click.option(
    "--anyway", is_flag=True, help="Take a list even when it is wildly different from the one before."
)
@changes
def refresh(session: Session, sources: tuple[str, ...], anyway: bool) -> int:
    """Ask the sources for newer vendors, models and prices."""

    async def work(services: Services) -> int:
        from cli.output import note

        def tell(result: RefreshResult) -> None:
            if not session.json:
                note(_ended(result))

        if not session.json:
            note("Asking the sources…")
        results = await services.catalog_refresh.refresh(sources or None, anyway=anyway, tell=tell)
        document: dict[str, object] = {"sources": [_result_document(result) for result in results]}
        if session.dry_run:
            document["dry_run"] = True
        session.emit(document, lambda: _results(results, dry_run=session.dry_run))
        return _verdict(results)

    return session.run(work, asks=False)


def _ended(result: RefreshResult) -> str:
    from services.catalog_sources import NAMES

    words = {
        "ok": f"{result.models:,} model{'' if result.models == 1 else 's'}",
        "unchanged": "still the newest",
    }
    return f"{NAMES[result.source]}: {words.get(result.state, 'no list')}"


def _verdict(results: Sequence[RefreshResult]) -> int:
    """3 where only being offline refused them, 5 where a source failed; one line says so."""
    from cli.failures import complain, say
    from services.catalog_sources import NAMES

    errors = [(NAMES[result.source], result.error) for result in results if result.error is not None]
    if len(errors) == 1:
        say(errors[0][1])
    elif errors:
        names = ", ".join(name for name, _ in errors)
        complain(f"{len(errors)} of {len(results)} sources gave no list: {names}. {errors[0][1].message}")
    if not errors:
        return 0
    return 3 if all(error.code == "offline" for _, error in errors) else 5


def _result_document(result: RefreshResult) -> dict[str, object]:
    from cli.failures import document as error_document

    return {
        "source": result.source,
        "state": result.state,
        "providers": result.vendors if result.state == "ok" else None,
        "models": result.models if result.state == "ok" else None,
        "added": result.added,
        "updated": result.updated,
        "removed": result.removed,
        "not_believed": result.doubted,
        "duration_ms": result.duration_ms,
        "error": error_document(result.error) if result.error else None,
    }


def _results(results: Sequence[RefreshResult], *, dry_run: bool) -> str:
    from cli.output import table
    from services.catalog_sources import NAMES

    if not results:
        return "No source is switched on. See 'switchroom config show'."
    rows = []
    for result in results:
        found = (
            f"{result.added} new, {result.updated} changed, {result.removed} gone"
            + (f", {result.doubted} not believed" if result.doubted else "")
            if result.state == "ok"
            else ""
        )
        said = (
            result.error.message
            if result.error
            else "still the newest"
            if result.state == "unchanged"
            else found
        )
        rows.append((NAMES[result.source], result.state, str(result.models or "–"), said))
    text = table(("SOURCE", "STATE", "MODELS", "WHAT CHANGED"), rows, right=("MODELS",))
    if dry_run:
        return f"{text}\nNothing was kept."
    return (
        f"{text}\nSee what it affects: switchroom catalog diff"
        if any(r.changed or r.doubted for r in results)
        else text
    )
