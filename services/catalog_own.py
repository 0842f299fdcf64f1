"""What a changed catalog file of the user's changes, kept like the changes of every other source."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from catalog.merge import ModelDiff, diff_models
from services.clock import now_ms

if TYPE_CHECKING:
    from catalog.lookup import Catalog
    from catalog.types import ModelInfo
    from catalog.user import UserCatalog
    from services.container import Services

SOURCE = "user"
_SEEN = "catalog_user_files"
"""The files as they were when their change was kept (store.state): of several open programs one keeps it."""


async def remember(
    services: Services, before: UserCatalog, after: UserCatalog, names: Sequence[str], marks: str
) -> None:
    """Keep what became of the models. `names`: the files that changed; `marks`: how all of them look now."""
    from services.catalog_lists import stored
    from store.catalog_runs import CatalogRunRow, CatalogRuns

    found = await asyncio.to_thread(diffs, services.catalog.copy(), before, after)
    if services.db.read_only or not found:
        return
    added, removed = (
        sum(len(getattr(diff, part)) for diff in found.values()) for part in ("added", "removed")
    )
    updated = sum(len({change.id for change in diff.updated}) for diff in found.values())
    row = CatalogRunRow(
        None, SOURCE, now_ms(), 0, "ok", None, None, len(after.providers), sum(map(len, after.models.values())),
        added, updated, removed, stored(found),
    )  # fmt: skip
    mark = sha256(marks.encode()).hexdigest()
    async with services.db.transaction() as tx:
        if await services.state.get(_SEEN, tx) == mark:
            return
        await services.state.set(tx, _SEEN, mark)
        await CatalogRuns(services.db).insert(tx, row)
        await services.audit.record(
            tx, "catalog.user", ", ".join(names[:3]),
            detail={"added": added, "updated": updated, "removed": removed},
        )  # fmt: skip


def diffs(catalog: Catalog, before: UserCatalog, after: UserCatalog) -> dict[str, ModelDiff]:
    """Vendor → what changes for its models, other sources included: a file that is gone gives way to them."""
    old, new = catalog.with_user(before), catalog.with_user(after)
    found: dict[str, ModelDiff] = {}
    for vendor in dict.fromkeys([*before.providers, *after.providers]):
        if before.providers.get(vendor) != after.providers.get(vendor):
            named = {*before.models.get(vendor, ()), *after.models.get(vendor, ())}
            diff = diff_models(_models(old, vendor, named), _models(new, vendor, named))
            if not diff.empty:
                found[vendor] = diff
    return found


def _models(catalog: Catalog, vendor: str, names: set[str]) -> dict[str, ModelInfo]:
    return {name: catalog.info(vendor, name) for name in names.intersection(catalog.ids(vendor))}
