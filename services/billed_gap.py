"""Why a bill is not what was counted here: traffic that did not come through here, other classes of tokens, another price."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from catalog.types import Price
from services.exact_parts import exact_parts

GapReason = Literal["elsewhere", "classes", "price", "counted", "items", "unsplit"]
REASONS: tuple[GapReason, ...] = ("elsewhere", "classes", "price", "counted", "items", "unsplit")
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one side says of a model. `input` includes both caches."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    requests: int | None = None

    @property
    def any(self) -> bool:
        return bool(self.input or self.output)


@dataclass(frozen=True, slots=True)
class Side:
    """One model of one provider, here and billed."""

    model: str
    """Empty: a line of the bill that names no model."""
    here: Tokens = field(default_factory=Tokens)
    here_cost: Decimal | None = Decimal(0)
    """USD; None: used here, but the cost is not known."""
    billed: Tokens | None = None
    """None: the vendor states no tokens of it."""
    billed_cost: Decimal | None = None
    """USD; None: the vendor states no cost of it."""
    price: Price | None = None
    """What the program reckons with; None: unknown."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The bill less what was counted here, and its parts, which add up to it to the nano-dollar."""

    total: Decimal
    parts: dict[GapReason, Decimal]
    """`elsewhere`: tokens that were billed and not counted here; below 0: counted here and not billed (yet). `classes`: the same tokens in other classes (cached or
    not). `price`: the vendor's price per token is another one. `counted`: our own figure differs from tokens × list
    price (long prompts, other hours, estimates). `items`: lines of the bill that are no tokens of a model.
    `unsplit`: no price, or no tokens stated, so nothing can be told apart."""


def explain(sides: Iterable[Side]) -> Gap:
    """The gap over some models; only what both sides know in money counts (a cost that is unknown here counts as 0)."""
    found: dict[GapReason, Fraction] = dict.fromkeys(REASONS, Fraction(0))
    total = Decimal(0)
    for side in sides:
        billed = side.billed_cost
        if billed is None:
            continue
        here = side.here_cost or Decimal(0)
        total += billed - here
        _split(found, side, Fraction(billed), Fraction(here))
    return Gap(total, exact_parts(found, total))


def _split(found: dict[GapReason, Fraction], side: Side, billed: Fraction, here: Fraction) -> None:
    if not side.model:
        found["items"] += billed - here
        return
    if side.billed is not None and not side.billed.any and not billed:
        found["elsewhere"] -= here  # nothing of it was billed (yet), at whatever price
        return
    rates = _rates(side.price)
    if rates is None or side.billed is None or not side.billed.any:
        unused = not side.here.any and side.here_cost == 0  # none of it came through here, at whatever price
        found["elsewhere" if unused else "unsplit"] += billed - here
        return
    own, theirs = _worth(rates, side.here), _worth(rates, side.billed)
    as_here = _worth(rates, _scaled(side.here, side.billed))
    found["elsewhere"] += as_here - own
    found["classes"] += theirs - as_here
    found["price"] += billed - theirs
    found["counted"] += own - here


def _rates(price: Price | None) -> tuple[Fraction, Fraction, Fraction, Fraction] | None:
    """USD per token: input, output, read from a cache, written to one. Base rates: sums say nothing of tiers."""
    if price is None or price.input is None or price.output is None:
        return None
    read = price.input if price.cache_read is None else price.cache_read
    write = price.input if price.cache_write is None else price.cache_write
    full, out, cached, written = (
        Fraction(rate) / _MILLION for rate in (price.input, price.output, read, write)
    )
    return full, out, cached, written


@dataclass(frozen=True, slots=True)
class _Parts:
    plain: Fraction
    read: Fraction
    write: Fraction
    output: Fraction


def _parts(tokens: Tokens) -> _Parts:
    plain = max(0, tokens.input - tokens.cache_read - tokens.cache_write)
    return _Parts(
        Fraction(plain), Fraction(tokens.cache_read), Fraction(tokens.cache_write), Fraction(tokens.output)
    )


def _worth(rates: tuple[Fraction, Fraction, Fraction, Fraction], tokens: Tokens | _Parts) -> Fraction:
    parts = _parts(tokens) if isinstance(tokens, Tokens) else tokens
    full, out, cached, written = rates
    return parts.plain * full + parts.read * cached + parts.write * written + parts.output * out


def _scaled(here: Tokens, billed: Tokens) -> _Parts:
    """As many tokens as were billed, in the classes that were seen here; a side that was not used here as billed."""
    mine, theirs = _parts(here), _parts(billed)
    output = theirs.output
    if not here.input:
        return _Parts(theirs.plain, theirs.read, theirs.write, output)
    whole = mine.plain + mine.read + mine.write
    grown = (theirs.plain + theirs.read + theirs.write) / whole
    return _Parts(mine.plain * grown, mine.read * grown, mine.write * grown, output)
