"""`switchroom catalog`: the vendors that are known without asking anybody, and the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.lazy import Nouns
from cli.session import Session, reads

if TYPE_CHECKING:
    from catalog.lookup import Catalog
    from catalog.types import CatalogProvider, ProviderSpec


@click.group(cls=Nouns)
def command() -> None:
    """The vendors that are known without asking anybody."""


def _catalog() -> Catalog:
    """The catalog with the user's files over it; files that were skipped are named on standard error."""
    from catalog.lookup import Catalog
    from cli.output import note
    from services.paths import resolve

    catalog = Catalog(resolve().user_catalog)
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
    session.emit({"providers": rows}, lambda: _table(rows))


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
    """Where the bundled and the user's files lie."""
    from importlib.resources import files

    from cli.output import pairs
    from services.paths import resolve

    document: dict[str, str | None] = {
        "bundled": str(files("catalog") / "data"),
        "user_catalog": str(resolve().user_catalog),
        "refreshed": None,
    }
    session.emit(
        document, lambda: pairs([(name, path or "never refreshed") for name, path in document.items()])
    )
