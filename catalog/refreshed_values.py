"""How single values of a fetched list are read: harmless text, counts, exact money; what cannot be read is no opinion."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date as day_of
from decimal import Decimal

from catalog.plaintext import one_line
from catalog.types import CAPABILITIES, ModelInfo, Price

Raw = Mapping[str, object]

SAID = "said"
"""`sources["capabilities.NAME"]` of a source that speaks about some abilities only, each one by name."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?(?=$|[T ])")
_MILLION = Decimal(1_000_000)
_DEAREST = Decimal(100_000)
"""USD per 1M tokens; what costs more is a mistake in a list."""
_CHEAPEST = Decimal("0.000001")
"""Less than that, and not free, is one as well."""


def mapping(value: object) -> Raw:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(raw: Raw, name: str, limit: int = 200) -> str | None:
    """A harmless line; None where there is none."""
    value = raw.get(name)
    return one_line(value, limit) or None if isinstance(value, str) else None


def model_id(value: object) -> str | None:
    """An id as a vendor would take it; None for what cannot be one."""
    if not isinstance(value, str) or not value or len(value) > 300:
        return None
    return value if value.isprintable() and value == value.strip() else None


def count(raw: Raw, name: str) -> int | None:
    """Tokens; 0, fractions and absurd numbers are no opinion."""
    value = raw.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError, ArithmeticError):
        return None
    return number if 0 < number < 10**9 and number == value else None


def date(raw: Raw, name: str) -> str | None:
    """`2026-11`, or the `2026-11-20` that a moment begins with; None for what is no date."""
    value = raw.get(name)
    found = _DATE.match(value) if isinstance(value, str) else None
    try:
        day_of.fromisoformat(found[0] if found[1] else f"{found[0]}-01") if found else None
    except ValueError:
        return None
    return found[0] if found else None


def day(raw: Raw, name: str) -> str | None:
    """A date to the day: nothing begins or ends on a whole month."""
    found = date(raw, name)
    return found if found is not None and len(found) == len("2026-11-20") else None


def words(value: object) -> tuple[str, ...] | None:
    """Names; None where there are none."""
    found = tuple(one_line(item, 40) for item in items(value) if isinstance(item, str) and item)
    return found or None


def usd(raw: Raw, name: str) -> Decimal | None:
    """USD per 1M tokens; negative, endless and absurd amounts are no opinion."""
    return amount(raw.get(name))


def per_token(raw: Raw, name: str) -> Decimal | None:
    """USD per token as OpenRouter says it (a decimal string), as USD per 1M tokens."""
    return amount(raw.get(name), _MILLION)


def amount(value: object, factor: Decimal = Decimal(1)) -> Decimal | None:
    """An exact amount times a factor."""
    if value is None or isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        found = Decimal(str(value)) * factor
    except (ArithmeticError, ValueError):
        return None
    if not found.is_finite() or found < 0 or found > _DEAREST or 0 < found < _CHEAPEST:
        return None
    return found.normalize() + 0 if found else Decimal(0)


def priced(price: Price | None) -> Price | None:
    """None for a price that says nothing, or 0 for everything: a list that fills in zeros does not know it."""
    if price is None or price == Price():
        return None
    return None if not price.input and not price.output and not price.per_1k_requests else price


def abilities(flags: Mapping[str, object]) -> tuple[tuple[str, ...] | None, dict[str, str]]:
    """(what a model can do, marks of the abilities spoken about); flags that are not true or false say nothing."""
    said = {name: flag for name in CAPABILITIES if isinstance(flag := flags.get(name), bool)}
    marks = {f"capabilities.{name}": SAID for name in said}
    return (tuple(name for name, flag in said.items() if flag), marks) if said else (None, {})


def with_marks(info: ModelInfo, marks: Mapping[str, str]) -> ModelInfo:
    """The model with marks of what it speaks about."""
    return info.model_copy(update={"sources": dict(marks)}) if marks else info
