"""One model of an import: the user's choices as they will be, and what of them is new, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from catalog.money import to_nanos
from services.transfer_types import FoundModel

if TYPE_CHECKING:
    from store.models import ModelRow


@dataclass(frozen=True, slots=True)
class ModelWork:
    """One model's choices as they will be."""

    before: ModelRow | None
    """None: it is not listed here yet."""
    row: ModelRow


def chosen(row: ModelRow, model: FoundModel, *, whole: bool) -> ModelRow:
    """The row with what the file says; a whole export also says what is not chosen."""
    changes: dict[str, Any] = {}
    if model.enabled is not None or whole:
        changes["enabled"] = model.enabled is not False
    for name in ("map_to", "cost_mode"):
        if whole or getattr(model, name) is not None:
            changes[name] = getattr(model, name)
    if whole or model.gpu_hour is not None:
        changes["gpu_hour_nanos"] = None if model.gpu_hour is None else to_nanos(model.gpu_hour)
    if whole or model.price is not None:
        from services.merging import parse_price

        if parse_price(row.typed_price_json) != model.price:
            changes["typed_price_json"] = None if model.price is None else model.price.model_dump_json(exclude_none=True, exclude_defaults=True)  # fmt: skip
    if whole or model.facts:
        from services.merging import facts_json, parse_facts

        if parse_facts(row.typed_facts_json) != model.facts:
            changes["typed_facts_json"] = facts_json(model.facts)
    if whole or model.can is not None:
        changes["probed_json"] = _said(row.probed_json, model.can or {})
    return replace(row, **changes)


def _said(before: str | None, can: Mapping[str, bool]) -> str | None:
    """What is stored of the abilities, with the user's own word as the file has it; what asking showed stays."""
    from catalog.capabilities import Asked, read_asked, write_asked
    from services.clock import now_ms

    asked = read_asked(before)
    if {name: one.can for name, one in asked.items() if one.by == "user"} == can:
        return before
    shown = {name: one for name, one in asked.items() if one.by != "user"}
    return write_asked({**shown, **{name: Asked(word, now_ms(), "user") for name, word in can.items()}})


def model_words(before: ModelRow | None, after: ModelRow) -> str:
    said = [] if after.enabled else ["off"]
    said += [f"priced as {after.map_to}"] if after.map_to else []
    said += [{"own": "on own hardware", "flat": "at a flat rate"}.get(after.cost_mode, after.cost_mode)] if after.cost_mode else []  # fmt: skip
    said += ["with the file's price"] if after.typed_price_json and (before is None or before.typed_price_json != after.typed_price_json) else []  # fmt: skip
    if after.typed_facts_json and (before is None or before.typed_facts_json != after.typed_facts_json):
        said.append("with the file's name and limits")
    if after.probed_json != (before.probed_json if before else None):
        said.append("with your word on what it can do")
    return ", ".join(said) or ("listed" if before is None else "as it was at first")
