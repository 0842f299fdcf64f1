"""The laws of prices, for any price and any usage: bills add up, edges are where they are said to be, and the unknown
is never free."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from catalog.pricing import cost, in_window, parts
from catalog.types import OffPeak, Price, Rates, Scheduled, Tier, Window
from catalog.usage import Usage

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MILLION = Decimal(1_000_000)
NAMES = tuple(Rates.model_fields)
money = st.decimals(min_value=0, max_value=1000, places=6, allow_nan=False, allow_infinity=False)
positive = st.decimals(min_value="0.000001", max_value=1000, places=6, allow_nan=False, allow_infinity=False)
tokens = st.integers(0, 3_000_000)
moments = st.integers(0, 90_000_000).map(lambda seconds: NOON + timedelta(seconds=seconds))
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@st.composite
def flat_prices(draw: st.DrawFn) -> Price:
    """No tiers and no fee: a straight line through zero."""
    rates = {name: draw(st.none() | money) for name in NAMES}
    return Price.model_validate({**rates, "input": draw(money), "output": draw(money)})


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    read, written, audio, plain = (draw(tokens) for _ in range(4))
    output = draw(tokens)
    return Usage(
        input=read + written + audio + plain, output=output, cache_read=read, cache_write=written, audio_input=audio,
        cache_write_1h=draw(st.integers(0, written)), reasoning=draw(st.integers(0, output)),
    )  # fmt: skip


def _both(one: Usage, other: Usage) -> Usage:
    names = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning", "audio_input")
    return Usage(**{name: getattr(one, name) + getattr(other, name) for name in names})


def _cost(price: Price, usage: Usage, at: datetime = NOON, *, batch: bool = False) -> Decimal:
    found = cost(price, usage, at, batch=batch)
    assert found is not None
    return found


@given(flat_prices(), usages(), usages())
def test_two_runs_cost_what_their_tokens_cost_together(price: Price, one: Usage, other: Usage) -> None:
    assert _cost(price, one) + _cost(price, other) == _cost(price, _both(one, other))


@given(flat_prices(), usages(), money)
def test_the_fee_is_paid_once_a_request(price: Price, usage: Usage, fee: Decimal) -> None:
    with_fee = price.model_copy(update={"per_1k_requests": fee})
    assert _cost(with_fee, usage) == _cost(price, usage) + fee / 1000


@given(flat_prices(), usages(), st.sampled_from(NAMES), positive)
def test_a_dearer_rate_never_makes_a_cheaper_run(
    price: Price, usage: Usage, name: str, more: Decimal
) -> None:
    stated = getattr(price, name)
    assume(stated is not None)
    dearer = price.model_copy(update={name: stated + more})
    assert _cost(dearer, usage) >= _cost(price, usage)


@given(flat_prices(), st.integers(1, 2_000_000), money, money)
def test_a_cliff_lies_behind_its_last_token_and_takes_all(
    price: Price, limit: int, dear_in: Decimal, dear_out: Decimal
) -> None:
    tiered = price.model_copy(
        update={"tiers": (Tier(over_input_tokens=limit, input=dear_in, output=dear_out),)}
    )
    assert _cost(tiered, Usage(input=limit, output=7)) == _cost(price, Usage(input=limit, output=7))
    above = (limit + 1) * dear_in / MILLION + 7 * dear_out / MILLION
    assert _cost(tiered, Usage(input=limit + 1, output=7)) == above


@given(flat_prices(), st.integers(1, 2_000_000), tokens, money)
def test_a_marginal_tier_takes_only_what_is_above_it(
    price: Price, limit: int, above: int, dear: Decimal
) -> None:
    tiered = price.model_copy(update={"tiers": (Tier(over_input_tokens=limit, marginal=True, input=dear),)})
    edge = _cost(tiered, Usage(input=limit, output=0))
    assert edge == _cost(price, Usage(input=limit, output=0))
    assert _cost(tiered, Usage(input=limit + above, output=0)) == edge + above * dear / MILLION


@given(flat_prices(), st.permutations((1_000, 50_000, 400_000)), usages())
def test_the_order_in_which_tiers_are_written_does_not_matter(
    price: Price, limits: list[int], usage: Usage
) -> None:
    rising = [Tier(over_input_tokens=limit, input=Decimal(limit)) for limit in sorted(limits)]
    mixed = [Tier(over_input_tokens=limit, input=Decimal(limit)) for limit in limits]
    one, other = (price.model_copy(update={"tiers": tuple(tiers)}) for tiers in (rising, mixed))
    assert _cost(one, usage) == _cost(other, usage)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@given(
    st.integers(0, 24 * 60 - 1), st.integers(0, 24 * 60 - 1), st.sets(st.integers(1, 7), min_size=1), moments
)
def test_a_window_is_the_minutes_from_its_beginning_on(
    first: int, last: int, days: set[int], moment: datetime
) -> None:
    """By counting: each named day opens at `first` for as many minutes as it takes to reach `last`, over midnight or not."""
    window = OffPeak(
        windows=(Window(hours_utc=(f"{_clock(first)}-{_clock(last)}",), iso_weekdays=tuple(days)),)
    )
    lasting = (last - first) % (24 * 60) or 24 * 60
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    opened = [
        day + timedelta(minutes=first)
        for day in (midnight, midnight - timedelta(days=1))
        if day.isoweekday() in days
    ]
    inside = any(start <= moment < start + timedelta(minutes=lasting) for start in opened)
    assert in_window(window, moment) is inside


@given(flat_prices(), usages(), money, zones, st.integers(1, 86_400))
def test_a_change_comes_at_midnight_utc_wherever_one_is(
    price: Price, usage: Usage, new: Decimal, zone: timezone, seconds: int
) -> None:
    changing = price.model_copy(update={"scheduled": (Scheduled(from_date="2027-01-01", input=new),)})
    changed = price.model_copy(update={"input": new})
    midnight = datetime(2027, 1, 1, tzinfo=UTC)
    before = (midnight - timedelta(seconds=seconds)).astimezone(zone)
    after = (midnight + timedelta(seconds=seconds - 1)).astimezone(zone)
    assert _cost(changing, usage, before) == _cost(price, usage)
    assert _cost(changing, usage, after) == _cost(changed, usage)


@given(flat_prices(), usages(), st.sampled_from(("input", "output")))
def test_what_has_no_price_is_never_free(price: Price, usage: Usage, missing: str) -> None:
    unpriced = price.model_copy(
        update={"reasoning": None, "audio_input": None, "cache_read": None, missing: None}
    )
    billed = [part for part in parts(unpriced, usage, NOON) if part.cost is None]
    used = (usage.output or 0) if missing == "output" else (usage.input or 0) - (usage.cache_write or 0)
    if used:
        assert billed
        assert cost(unpriced, usage, NOON) is None


@given(flat_prices(), usages(), st.sampled_from(("input", "output")))
def test_what_was_not_counted_is_never_free(price: Price, usage: Usage, missing: str) -> None:
    counts = {name: getattr(usage, name) for name in ("input", "output")}
    partly = Usage(**{**counts, missing: None})
    assert cost(price, partly, NOON) == (
        None if getattr(price, missing) else _cost(price, Usage(**{**counts, missing: 0}))
    )


@given(flat_prices(), usages(), flat_prices())
def test_batch_rates_replace_what_they_name(price: Price, usage: Usage, half: Price) -> None:
    rates = Rates(**{name: getattr(half, name) for name in NAMES})
    named = {name: value for name in NAMES if (value := getattr(half, name)) is not None}
    batched = price.model_copy(update={"batch": rates})
    assert _cost(batched, usage, batch=True) == _cost(price.model_copy(update=named), usage)
    assert _cost(batched, usage) == _cost(price, usage)
    assert cost(price, usage, NOON, batch=True) in (None, Decimal(0))


def test_sound_is_billed_apart_where_it_has_a_price() -> None:
    heard = Usage(input=10_000, output=0, audio_input=6_000)
    assert cost(Price(input=Decimal(1), output=Decimal(1), audio_input=Decimal(5)), heard, NOON) == Decimal(
        "0.034"
    )
    assert cost(Price(input=Decimal(1), output=Decimal(1)), heard, NOON) == Decimal("0.01")
