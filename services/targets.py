"""What a type and an address mean together: which dialect, which vendor, where the calls go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from catalog.errors import UsageError
from catalog.names import example
from catalog.plaintext import one_line

if TYPE_CHECKING:
    from catalog.lookup import Catalog
    from store.providers import ProviderRow


@dataclass(frozen=True, slots=True)
class Target:
    """What a type and an address mean together."""

    dialect: str
    catalog_id: str | None
    endpoint: str


def resolve_target(catalog: Catalog, kind: str | None, url: str | None, slug: str | None) -> Target:
    """`--type` and `--url` as CLI.md has them: a vendor, a dialect, or a vendor found by its address."""
    from catalog.detect import normalise_base_url
    from catalog.types import DIALECTS

    if kind is None and url is None and slug is not None and catalog.spec(slug) is not None:
        kind = slug
    spec = catalog.spec(kind) if kind else None
    dialects = (*DIALECTS, "fake")
    if kind is not None and spec is None and kind not in dialects and not _plugged_in(kind):
        raise _unknown_type(catalog, kind, dialects)
    if url is None:
        if spec is None and kind is None:
            raise UsageError(
                "A provider needs a type or an address.",
                hint="Give --type openai, or --url http://127.0.0.1:8080.",
            )
        if spec is None:
            if kind == "fake":
                return Target("fake", None, "http://127.0.0.1")
            raise UsageError(f"The dialect {kind} has no address of its own.", hint="Give it with --url.")
        if "{" in spec.endpoint:
            raise UsageError(
                f"{spec.name} has no address of its own: each customer has another one.",
                hint=f"Give yours with --url, such as {example(spec.endpoint)}.",
            )
        return Target(spec.dialect, spec.id, normalise_base_url(spec.endpoint))
    if (spec.dialect if spec is not None else kind) == "ollama":
        url = _as_ollama_host(url)
    endpoint = normalise_base_url(url)
    found = catalog.detect(endpoint)
    if kind is None:
        return Target(found.dialect, found.catalog_id, endpoint)
    if spec is not None and kind not in dialects:
        return Target(spec.dialect, spec.id, endpoint)
    vendor = catalog.spec(found.catalog_id) if found.catalog_id else None
    fits = vendor is not None and (vendor.dialect == kind or found.dialect == kind)
    return Target(kind, found.catalog_id if fits else None, endpoint)


def _as_ollama_host(url: str) -> str:
    """An address without scheme means what it means in OLLAMA_HOST: 11434 where no port is named."""
    from catalog.detect import normalise_base_url

    text = url.strip().strip("\"'")
    if "://" in text:
        return text
    split = urlsplit(normalise_base_url(f"127.0.0.1{text}" if text.startswith(":") else text))
    port = "" if split.port is not None or split.scheme != "http" else ":11434"
    return f"{split.scheme}://{split.netloc}{port}{split.path}"


def same_host(url: str, other: str) -> bool:
    from catalog.detect import normalise_base_url

    return not url or urlsplit(normalise_base_url(url)).hostname == urlsplit(other).hostname


def kept_address(catalog: Catalog, row: ProviderRow, kind: str | None) -> str | None:
    """A new type keeps the address, unless the address was the old vendor's own and the new one has its own."""
    old = catalog.spec(row.catalog_id) if row.catalog_id else None
    new = catalog.spec(kind) if kind else None
    if old is not None and new is not None and same_host(old.endpoint, row.endpoint):
        return None
    return row.endpoint


def _plugged_in(kind: str) -> bool:
    """True for a dialect that an installed plug-in speaks."""
    from adapters.loader import dialects

    return kind in dialects()


def _unknown_type(catalog: Catalog, kind: str, dialects: tuple[str, ...]) -> UsageError:
    import difflib

    known = sorted({spec.id for spec in catalog.specs()} | set(dialects) - {"fake"})
    close = difflib.get_close_matches(kind.strip().lower(), known, n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known[:20])}."
    return UsageError(f"There is no provider type {one_line(kind, 40)}.", hint=hint)
