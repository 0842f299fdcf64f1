"""What a fetched list must be to be taken: readable, not empty, not wildly different from the one before; and its diff.

Nothing here asks anybody or needs the event loop: it runs in a thread, so that the screen goes on.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog import bundled, pieces, refreshed
from catalog.errors import SwitchroomError
from catalog.merge import FieldChange, ModelDiff, diff_models
from catalog.refreshed_genai import genai
from catalog.refreshed_lists import BadListError, catwalk, modelsdev, openrouter
from services.catalog_sources import NAMES
from services.catalog_trust import JUMP, Doubt, Judged, Said, judge

if TYPE_CHECKING:
    from catalog.lookup import Catalog

LEAST = 0.5
"""A list that lost more than this share of its vendors or models is refused."""
_ENOUGH = 10
"""Prices that must be there before their jumps say anything about a list."""
MOST_CHANGES = 4000
"""Single changes of one run that are kept."""


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
    doubts: Mapping[str, list[Doubt]] = field(default_factory=dict)
    """Vendor → prices of the list that were not believed."""

    def total(self, part: str) -> int:
        """How many models are `added`, `removed`, or have something `updated`."""
        if part == "updated":
            return sum(len({change.id for change in diff.updated}) for diff in self.diffs.values())
        return sum(len(getattr(diff, part)) for diff in self.diffs.values())

    @property
    def doubted(self) -> int:
        """How many models have a price that was not believed."""
        return sum(map(len, self.doubts.values()))

    def as_json(self) -> str | None:
        """The diff as it is stored; None: nothing changed."""
        return stored(self.diffs, self.doubts)


def stored(diffs: Mapping[str, ModelDiff], doubts: Mapping[str, Sequence[Doubt]] | None = None) -> str | None:
    """Diffs as the store keeps them; None: nothing changed."""
    left = MOST_CHANGES
    document: dict[str, dict[str, Any]] = {}
    for vendor in dict.fromkeys([*(doubts or {}), *diffs]):
        doubted = (doubts or {}).get(vendor, ())[:left]
        left -= len(doubted)
        diff = diffs.get(vendor, ModelDiff())
        updated = diff.updated[:left]
        left -= len(updated)
        document[vendor] = {
            "added": diff.added, "removed": diff.removed, "updated": [*map(_change, updated)],
            "doubted": [*map(_change, doubted)],
        }  # fmt: skip
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) if document else None


def _change(change: FieldChange | Doubt) -> dict[str, object]:
    return {"id": change.id, "field": change.field, "old": change.old, "new": change.new}


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
    also: Mapping[str, Collection[str]] | None = None,
) -> Prepared:
    """Check a fetched list and write it beside the present one. Raises RefusedListError, OSError.

    `anyway`: take it even when it is wildly different; an empty or broken one is refused all the same.
    `also`: vendor → ids of the user's models, whose changes are found even where no list names them one by one.
    """
    vendors = _read(source, body, at)
    models = sum(map(len, vendors.values()))
    if not models:
        raise RefusedListError(f"{NAMES[source]} sent a list without a model of any vendor known here.")
    doubts: Mapping[str, list[Doubt]] = {}
    if not anyway:
        _compare(catalog, source, vendors, models)
        vendors, doubts, *_ = _believed(catalog, source, vendors)
    path = refreshed.prepare(folder, source, vendors, url=url, etag=etag, at=at)
    try:
        diffs = _diffs(catalog, catalog.with_list(source, path), source, also or {})
        return Prepared(path, len(vendors), models, diffs, doubts)
    except BaseException:
        refreshed.drop(path)
        raise


def _read(source: str, body: bytes, at: int) -> Said:
    name = NAMES[source]
    try:
        document = pieces.load(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise RefusedListError(f"{name} sent something that is not text.") from None
    except (ValueError, RecursionError):
        what = "a web page" if body.lstrip()[:1] == b"<" else "something that is not whole JSON"
        raise RefusedListError(f"{name} sent {what} in place of its list.") from None
    known = frozenset(bundled.provider_ids())
    try:
        if source == "genai":
            return genai(document, known, datetime.fromtimestamp(at / 1000, UTC).date())
        return {"catwalk": catwalk, "modelsdev": modelsdev, "openrouter": openrouter}[source](document, known)
    except (BadListError, RecursionError) as error:
        raise RefusedListError(f"What {name} sent is not its list: {error}.") from None


def _compare(catalog: Catalog, source: str, vendors: Said, models: int) -> None:
    """Refuse what lost half of what it had."""
    head = catalog.refreshed.heads.get(source)
    if head is None:
        return
    lost = [vendor for vendor in head.vendors if not vendors.get(vendor)]
    if head.vendors and len(lost) >= len(head.vendors) * LEAST:
        raise _wild(source, f"{len(lost)} of its {len(head.vendors)} vendors are gone")
    if models < head.models * LEAST:
        raise _wild(source, f"{head.models} models became {models}")


def _believed(catalog: Catalog, source: str, vendors: Said) -> Judged:
    """The list without single prices that are too far off; refused when most of them are."""
    judged = judge(catalog, source, vendors)
    if judged.compared >= _ENOUGH and judged.jumped > judged.compared * LEAST:
        raise _wild(
            source, f"{judged.jumped} of {judged.compared} prices are {JUMP} times as high or low as before"
        )
    return judged


def _wild(source: str, what: str) -> RefusedListError:
    return RefusedListError(
        f"{NAMES[source]} sent a list that is wildly different: {what}. The one before stays in use.",
        hint="If it is right all the same: switchroom catalog refresh --anyway",
    )


def _diffs(
    before: Catalog, after: Catalog, source: str, also: Mapping[str, Collection[str]]
) -> dict[str, ModelDiff]:
    """Vendor → what changes in what the catalog says, of the vendors whose part of the list is another one."""
    old, new = before.refreshed, after.refreshed
    vendors = dict.fromkeys(
        [*getattr(old.heads.get(source), "vendors", ()), *getattr(new.heads.get(source), "vendors", ())]
    )
    found: dict[str, ModelDiff] = {}
    for vendor in vendors:
        if old.line(source, vendor) != new.line(source, vendor):
            mine = also.get(vendor, ())
            diff = diff_models(before.without_user(vendor, mine), after.without_user(vendor, mine))
            if not diff.empty:
                found[vendor] = diff
    return found
