"""Which findings are there already: by the variable their key is in, else by where they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from services.discovery_views import Finding

if TYPE_CHECKING:
    from store.providers import ProviderRow


def placed(
    findings: Iterable[Finding], rows: Collection[ProviderRow], seen: Collection[str]
) -> list[Finding]:
    """The findings beside what is configured: each once, and what is there already marked so."""
    out: list[Finding] = []
    ids: set[str] = set()
    for found in findings:
        if found.id in ids and found.options:
            continue
        ids.add(found.id)
        is_it = next(
            (row.slug for row in rows if _is(found, row) or (found.id in seen and _out_of(found, row))), ""
        )
        if is_it:
            found = replace(found, configured=is_it)
        elif found.kind == "clear" and (twin := next((row.slug for row in rows if _beside(found, row)), "")):
            found = replace(found, kind="offered", why=f"{found.why}; {twin} has another key")
        out.append(replace(found, declined=not is_it and found.id in seen))
    here = {_place(one.endpoint) for one in out if one.source != "loopback" and one.adds}
    return [one for one in out if one.source != "loopback" or _place(one.endpoint) not in here]


def by_vendor(findings: Iterable[Finding]) -> dict[str, Finding]:
    """Vendor → what is surely its own: never a key that may be another's, or that was set for another address."""
    out: dict[str, Finding] = {}
    for found in findings:
        if found.kind in ("clear", "offered") and found.catalog_id is not None:
            out.setdefault(found.catalog_id, found)
    return out


def _is(found: Finding, row: ProviderRow) -> bool:
    if found.key_ref is not None and row.key_ref == found.key_ref:
        return True
    if not found.endpoint or _place(row.endpoint) != _place(found.endpoint):
        return False
    return not found.key_name or (found.key_last4 is not None and row.key_last4 == found.key_last4)


def _out_of(found: Finding, row: ProviderRow) -> bool:
    """A key that was once copied out of a folder's file, whatever it was said to be for."""
    return found.source == "folder" and found.key_last4 is not None and row.key_last4 == found.key_last4


def _beside(found: Finding, row: ProviderRow) -> bool:
    """A vendor's key was typed in: the one in a variable may be an old one, or one for something else."""
    typed = row.key_ref is not None and not row.key_ref.startswith("env:")
    return bool(found.key_name) and typed and _place(row.endpoint) == _place(found.endpoint)


def _place(url: str) -> tuple[str, int | None, str]:
    """An address, however it is written: this machine has several names, and `/v1` is understood."""
    from catalog.detect import is_loopback

    split = urlsplit(url)
    host = split.hostname or ""
    return ("loopback" if is_loopback(host) else host), split.port, split.path.rstrip("/").removesuffix("/v1")
