"""What a fetched list must be to be taken: readable, not empty, not wildly different from the one before; and its diff.

Nothing here asks anybody or needs the event loop: it runs in a thread, so that the screen goes on.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog import bundled, refreshed
from catalog.errors import SwitchroomError
from catalog.merge import ModelDiff, diff_models
from catalog.refreshed_genai import Rule, genai
from catalog.refreshed_lists import BadListError, catwalk, modelsdev, openrouter
from services.catalog_sources import NAMES

if TYPE_CHECKING:
    from catalog.lookup import Catalog
    from catalog.types import ModelInfo

LEAST = 0.5
"""A list that lost more than this share of its vendors or models is refused."""
_JUMP = Decimal(5)
"""A price that is so many times what it was looks like a mistake in units."""
_ENOUGH = 10
"""Prices that must be there before their jumps say anything about a list."""
MOST_CHANGES = 4000
"""Single changes of one run that are kept."""

Said = Mapping[str, Mapping[str, "ModelInfo"] | list[Rule]]


class RefusedListError(SwitchroomError):
    """A source sent something that is not taken; what was there before stays."""

    code = "unexpected_response"
    default_title = "List refused"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A list that was checked and lies ready on disk."""

    path: Path
    vendors: int
    models: int
    diffs: dict[str, ModelDiff] = field(default_factory=dict)
    """Vendor → what changes for its models, whichever source had said it before."""

    def total(self, part: str) -> int:
        """How many models are `added`, `removed`, or have something `updated`."""
        if part == "updated":
            return sum(len({change.id for change in diff.updated}) for diff in self.diffs.values())
        return sum(len(getattr(diff, part)) for diff in self.diffs.values())

    def as_json(self) -> str | None:
        """The diff as it is stored; None: nothing changed."""
        if not self.diffs:
            return None
        left = MOST_CHANGES
        document: dict[str, dict[str, Any]] = {}
        for vendor, diff in self.diffs.items():
            updated = diff.updated[:left]
            left -= len(updated)
            document[vendor] = {
                "added": diff.added,
                "removed": diff.removed,
                "updated": [
                    {"id": change.id, "field": change.field, "old": change.old, "new": change.new}
                    for change in updated
                ],
            }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def prepare(
    catalog: Catalog,
    folder: Path,
    source: str,
    body: bytes,
    *,
    url: str,
    etag: str | None,
    at: int,
    anyway: bool = False,
) -> Prepared:
    """Check a fetched list and write it beside the present one. Raises RefusedListError, OSError.

    `anyway`: take it even when it is wildly different; an empty or broken one is refused all the same.
    """
    vendors = _read(source, body, at)
    models = sum(map(len, vendors.values()))
    if not models:
        raise RefusedListError(f"{NAMES[source]} sent a list without a model of any vendor known here.")
    if not anyway:
        _compare(catalog, source, vendors, models)
    path = refreshed.prepare(folder, source, vendors, url=url, etag=etag, at=at)
    try:
        return Prepared(path, len(vendors), models, _diffs(catalog, catalog.with_list(source, path), source))
    except BaseException:
        refreshed.drop(path)
        raise


def _read(source: str, body: bytes, at: int) -> Said:
    name = NAMES[source]
    gc.disable()  # looking for rubbish among a hundred thousand new objects would stall the screen
    try:
        document = json.loads(body.decode("utf-8-sig"), parse_float=str)  # amounts stay exact
    except UnicodeDecodeError:
        raise RefusedListError(f"{name} sent something that is not text.") from None
    except (ValueError, RecursionError):
        what = "a web page" if body.lstrip()[:1] == b"<" else "something that is not whole JSON"
        raise RefusedListError(f"{name} sent {what} in place of its list.") from None
    finally:
        gc.enable()
    known = frozenset(bundled.provider_ids())
    try:
        if source == "genai":
            return genai(document, known, datetime.fromtimestamp(at / 1000, UTC).date())
        return {"catwalk": catwalk, "modelsdev": modelsdev, "openrouter": openrouter}[source](document, known)
    except (BadListError, RecursionError) as error:
        raise RefusedListError(f"What {name} sent is not its list: {error}.") from None


def _compare(catalog: Catalog, source: str, vendors: Said, models: int) -> None:
    """Refuse what lost half of what it had, or whose prices are of another order."""
    head = catalog.refreshed.heads.get(source)
    if head is None:
        return
    lost = [vendor for vendor in head.vendors if not vendors.get(vendor)]
    if head.vendors and len(lost) >= len(head.vendors) * LEAST:
        raise _wild(source, f"{len(lost)} of its {len(head.vendors)} vendors are gone")
    if models < head.models * LEAST:
        raise _wild(source, f"{head.models} models became {models}")
    before = dict(_inputs(catalog, source, head.vendors))
    pairs = [(before[key], price) for key, price in _said_inputs(vendors) if key in before]
    jumped = sum(1 for old, new in pairs if new > old * _JUMP or old > new * _JUMP)
    if len(pairs) >= _ENOUGH and jumped > len(pairs) * LEAST:
        raise _wild(source, f"{jumped} of {len(pairs)} prices are {_JUMP} times as high or low as before")


def _wild(source: str, what: str) -> RefusedListError:
    return RefusedListError(
        f"{NAMES[source]} sent a list that is wildly different: {what}. The one before stays in use.",
        hint="If it is right all the same: switchroom catalog refresh --anyway",
    )


def _inputs(
    catalog: Catalog, source: str, vendors: Iterable[str]
) -> Iterable[tuple[tuple[str, str], Decimal]]:
    for vendor in vendors:
        for raw in json.loads(catalog.refreshed.line(source, vendor) or b"[]", parse_float=Decimal):
            price = (raw.get("price") or {}).get("input")
            if price is not None and (amount := Decimal(str(price))):
                yield (vendor, raw["id"]), amount


def _said_inputs(vendors: Said) -> Iterable[tuple[tuple[str, str], Decimal]]:
    for vendor, said in vendors.items():
        infos = said.values() if isinstance(said, Mapping) else [info for _, info in said]
        for info in infos:
            if info.price is not None and info.price.input:
                yield (vendor, info.id), info.price.input


def _diffs(before: Catalog, after: Catalog, source: str) -> dict[str, ModelDiff]:
    """Vendor → what changes in what the catalog says, of the vendors whose part of the list is another one."""
    old, new = before.refreshed, after.refreshed
    vendors = dict.fromkeys(
        [*getattr(old.heads.get(source), "vendors", ()), *getattr(new.heads.get(source), "vendors", ())]
    )
    found: dict[str, ModelDiff] = {}
    for vendor in vendors:
        if old.line(source, vendor) != new.line(source, vendor):
            diff = diff_models(before.without_user(vendor), after.without_user(vendor))
            if not diff.empty:
                found[vendor] = diff
    return found
