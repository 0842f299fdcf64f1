"""What the user says a model is, beside its price: its name, its context and its longest answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from catalog.errors import NotFoundError, UsageError
from catalog.plaintext import one_line
from services.merging import MOST_TOKENS, facts_json, parse_facts
from services.price_edits import Edit
from store.models import ModelRow

LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class TypedFacts:
    """None is not said; an empty name and 0 tokens take back what was said."""

    name: str | None = None
    context_window: int | None = None
    max_output: int | None = None

    @property
    def said(self) -> dict[str, str | int]:
        """What is said, by field."""
        found = {"name": self.name, "context_window": self.context_window, "max_output": self.max_output}
        return {field: value for field, value in found.items() if value is not None}


def facts_edit(facts: TypedFacts, price: Edit | None = None) -> Edit:
    """Say what a model is, and what it costs where `price` says so. UsageError: what cannot be meant."""
    for tokens in (facts.context_window, facts.max_output):
        if tokens is not None and not 0 <= tokens <= MOST_TOKENS:
            raise UsageError(f"A model's limits are from 1 to {MOST_TOKENS:,} tokens; 0 takes one back.")
    if facts.name is not None and (len(facts.name) > LONGEST_NAME or not facts.name.isprintable()):
        raise UsageError(f"A name is printable and has at most {LONGEST_NAME} characters.")
    given = {field: value.strip() if isinstance(value, str) else value for field, value in facts.said.items()}

    def apply(row: ModelRow) -> ModelRow:
        row = row if price is None else price.apply(row)
        told = {
            field: value for field, value in {**parse_facts(row.typed_facts_json), **given}.items() if value
        }
        context, longest = told.get("context_window"), told.get("max_output")
        if isinstance(context, int) and isinstance(longest, int) and longest > context:
            raise UsageError(
                f"The longest answer ({longest:,} tokens) is longer than the context ({context:,} tokens)."
            )
        return replace(row, typed_facts_json=facts_json(told))

    return Edit("model.price", apply, price.day if price is not None else None)


def clear_all_edit() -> Edit:
    """Take back everything that was typed of a model: prices, name and limits."""

    def apply(row: ModelRow) -> ModelRow:
        if row.typed_price_json is None and row.typed_facts_json is None:
            raise NotFoundError(f"Nothing was typed for {row.provider}/{one_line(row.id, 80)}.")
        return replace(row, typed_price_json=None, typed_facts_json=None)

    return Edit("model.price", apply)
