"""Which source is believed, field by field, and what changed between two states of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.patterns import guessed_capabilities
from catalog.types import CAPABILITIES, ModelInfo, Price

_FIELDS = tuple(name for name in ModelInfo.model_fields if name not in ("id", "sources"))

_BLANK: dict[str, Any] = dict.fromkeys(_FIELDS)
"""Every field without an opinion: stated, because looking up a default costs pydantic more than all the rest."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one model, before and after, as JSON values; None is unknown."""

    id: str
    field: str
    """`price.input` and the like for parts of a price."""
    old: object
    new: object


@dataclass(frozen=True, slots=True)
class ModelDiff:
    """What a sync changed. Price changes come first in `updated`."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    updated: tuple[FieldChange, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.added or self.removed or self.updated)


def merge_model(
    model_id: str,
    *,
    typed: ModelInfo | None = None,
    user: ModelInfo | None = None,
    live: ModelInfo | None = None,
    refreshed: ModelInfo | None = None,
    bundled: ModelInfo | None = None,
    probed: Mapping[str, bool] | None = None,
    said: Mapping[str, bool] | None = None,
) -> ModelInfo:
    """A model out of all sources: per field the first that has an opinion, a price as one block.

    `typed` is what the user said of this very model, `user` what a file of theirs says, `said` what they say of single
    capabilities, which goes before everything; `probed` is what asking the
    model showed: it overrules all but the user, capability by capability.
    `sources` of the result says where each field is from: `typed`, `user`, `live`, `refreshed:SOURCE`, `catalog:SOURCE`
    or `pattern`; `capabilities.NAME` is there for each capability that a probe (`probe`), the user's word on it (`user`)
    or a source that speaks of single capabilities only decided.
    """
    layers = (("typed", typed), ("user", user), ("live", live), ("refreshed", refreshed))
    ranked = [(name, info) for name, info in layers if info]
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for field in _FIELDS:
        for name, info in ranked:
            if (value := _opinion(info, field)) is not None:
                values[field] = value
                sources[field] = info.sources.get(field, name) if name == "refreshed" else name
                break
        else:
            if bundled is not None and (value := _opinion(bundled, field)) is not None:
                values[field], sources[field] = value, bundled.sources.get(field, "catalog")
    if live is not None and values.get("status") == "unlisted":
        del values["status"], sources["status"]  # the vendor lists it
    if "capabilities" not in values and (guess := guessed_capabilities(model_id)):
        values["capabilities"], sources["capabilities"] = guess, "pattern"
    single = _single(ranked)
    if single:
        _take_single(model_id, values, sources, single, [*ranked, ("catalog", bundled)])
    if probed and sources.get("capabilities") != "user":
        own = {name for name, (_, source) in single.items() if source == "user"}
        _decide(values, sources, {name: can for name, can in probed.items() if name not in own}, "probe")
    if said:
        _decide(values, sources, said, "user")
    return ModelInfo.model_construct(id=model_id, sources=sources, **{**_BLANK, **values})


def merge_layers(
    model_id: str, ranked: Sequence[tuple[str, ModelInfo]], prices: Sequence[tuple[str, ModelInfo]]
) -> ModelInfo:
    """One layer out of several sources, each with its name; whose price goes first is ranked on its own."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for field in _FIELDS:
        for name, info in prices if field == "price" else ranked:
            if (value := _opinion(info, field)) is not None:
                values[field], sources[field] = value, name
                break
    single = _single([(name, info) for name, info in ranked if info.capabilities is not None])
    if single:
        values["capabilities"] = tuple(name for name in CAPABILITIES if single.get(name, (False,))[0])
        sources |= {f"capabilities.{name}": source for name, (_, source) in single.items()}
    return ModelInfo.model_construct(id=model_id, sources=sources, **{**_BLANK, **values})


def _partial(info: ModelInfo) -> list[str]:
    """The capabilities that a source spoke of one by one; empty: what it lists is all there is, or it says nothing."""
    if info.capabilities is None or not info.sources:
        return []
    return [name for name in CAPABILITIES if f"capabilities.{name}" in info.sources]


def _single(ranked: Sequence[tuple[str, ModelInfo]]) -> dict[str, tuple[bool, str]]:
    """Capability → (can, who says so), from the sources that speak of single ones and stand above the first whole list."""
    found: dict[str, tuple[bool, str]] = {}
    for layer, info in ranked:
        if info.capabilities is None:
            continue
        if not (named := _partial(info)):
            break
        for name in named:
            mark = info.sources[f"capabilities.{name}"]
            source = mark if layer == "refreshed" and ":" in mark else layer
            found.setdefault(name, (name in info.capabilities, source))
    return found


def _take_single(
    model_id: str,
    values: dict[str, Any],
    sources: dict[str, str],
    single: Mapping[str, tuple[bool, str]],
    ranked: Sequence[tuple[str, ModelInfo | None]],
) -> None:
    """What single capabilities were said changes the whole list below; the others stay as that has them."""
    whole = next(
        (
            (name, info)
            for name, info in ranked
            if info is not None and info.capabilities is not None and not _partial(info)
        ),
        None,
    )
    if whole is not None:
        name, info = whole
        values["capabilities"] = info.capabilities
        sources["capabilities"] = info.sources.get("capabilities", name) if name == "catalog" else name
    else:
        values["capabilities"] = guessed_capabilities(model_id) or ()
    for name, (can, source) in single.items():
        _decide(values, sources, {name: can}, source)


def _decide(values: dict[str, Any], sources: dict[str, str], can: Mapping[str, bool], source: str) -> None:
    """Single capabilities from a source that overrules what was merged so far."""
    able = set(values.get("capabilities") or ()) | set(can)
    able -= {name for name, yes in can.items() if not yes}
    values["capabilities"] = tuple(name for name in CAPABILITIES if name in able)
    sources |= {f"capabilities.{name}": source for name in can}


def diff_models(old: Mapping[str, ModelInfo], new: Mapping[str, ModelInfo]) -> ModelDiff:
    """What became of a list, by model id."""
    changes = [
        change
        for model_id in new
        if model_id in old
        for change in _changes(model_id, old[model_id], new[model_id])
    ]
    changes.sort(key=lambda change: (not change.field.startswith("price"), change.id, change.field))
    return ModelDiff(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        updated=tuple(changes),
    )


def _opinion(info: ModelInfo, field: str) -> object:
    value = getattr(info, field)
    return None if field == "price" and value == Price() else value


def _changes(model_id: str, old: ModelInfo, new: ModelInfo) -> list[FieldChange]:
    changes = []
    for field in _FIELDS:
        before, after = getattr(old, field), getattr(new, field)
        if before == after:
            continue
        if field == "price":
            changes += _price_changes(model_id, before or Price(), after or Price())
        else:
            changes.append(FieldChange(model_id, field, _json(before), _json(after)))
    return changes


def _price_changes(model_id: str, old: Price, new: Price) -> list[FieldChange]:
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    return [
        FieldChange(model_id, f"price.{name}", before[name] or None, after[name] or None)
        for name in Price.model_fields
        if getattr(old, name) != getattr(new, name)
    ]


def _json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
