"""What runs cost: worked examples by hand, and the laws that hold for every price and every usage."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.money import from_nanos, to_nanos, usd_string
from catalog.pricing import cost, parts, price_at, rates_for
from catalog.types import OffPeak, Price, Rates, Scheduled, Tier, Window
from catalog.usage import Usage

D = Decimal
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday
GPT_4O = Price(input=D("2.5"), output=D("10"), cache_read=D("1.25"))
CLAUDE = Price(
    input=D(3), output=D(15), cache_read=D("0.3"), cache_write=D("3.75"), cache_write_1h=D(6), batch=Rates(input=D("1.5"), output=D("7.5"))
)  # fmt: skip
LONG = Price(
    input=D("1.25"), output=D(10), cache_read=D("0.125"), tiers=(Tier(over_input_tokens=200_000, input=D("2.5"), output=D(15)),)
)  # fmt: skip


@pytest.mark.parametrize(
    ("price", "usage", "dollars"),
    [
        pytest.param(
            GPT_4O, Usage(input=12, output=5), "0.00008", id="the worked example of the CLI contract"
        ),
        pytest.param(
            GPT_4O, Usage(input=1000, output=0, cache_read=800), "0.0015", id="cache reads are part of input"
        ),
        pytest.param(
            CLAUDE,
            Usage(input=1000, output=100, cache_read=500, cache_write=300),
            "0.003375",
            id="cache writes",
        ),
        pytest.param(
            CLAUDE,
            Usage(input=1000, output=0, cache_write=300, cache_write_1h=200),
            "0.003675",
            id="the hour's writes are part of the writes",
        ),
        pytest.param(
            Price(input=D(1), output=D(2)),
            Usage(input=100, output=0, cache_read=50),
            "0.0001",
            id="no cache price",
        ),
        pytest.param(
            Price(input=D(1), output=D(2), reasoning=D(4)),
            Usage(input=0, output=100, reasoning=60),
            "0.00032",
            id="reasoning has a price of its own",
        ),
        pytest.param(
            GPT_4O, Usage(input=0, output=100, reasoning=60), "0.001", id="reasoning billed as output"
        ),
        pytest.param(LONG, Usage(input=200_000, output=10), "0.2501", id="at the tier's edge the base holds"),
        pytest.param(
            LONG, Usage(input=200_001, output=10), "0.5001525", id="one more: every token at the tier"
        ),
        pytest.param(
            LONG,
            Usage(input=200_001, output=0, cache_read=100_001),
            "0.262500125",
            id="tier keeps what it leaves out",
        ),
        pytest.param(
            Price(input=D(0), output=D(0)), Usage(input=None, output=None), "0", id="free whatever the count"
        ),
        pytest.param(
            Price(input=D(1), output=D(1), per_1k_requests=D(12)),
            Usage(input=10, output=10),
            "0.01202",
            id="fee",
        ),
    ],
)
def test_worked_examples(price: Price, usage: Usage, dollars: str) -> None:
    assert cost(price, usage, NOON) == D(dollars)


def test_a_marginal_tier_bills_only_the_tokens_above() -> None:
    price = Price(
        input=D(1), output=D(2), cache_read=D("0.5"),
        tiers=(Tier(over_input_tokens=1000, marginal=True, input=D(3), output=D(4)),),
    )  # fmt: skip
    assert cost(price, Usage(input=1500, output=100), NOON) == D("0.0029")  # 1000x1 + 500x3 + 100x4
    assert cost(price, Usage(input=1000, output=100), NOON) == D("0.0012")
    # the cached prefix comes first in the prompt
    assert cost(price, Usage(input=1500, output=0, cache_read=1200), NOON) == D(
        "0.0015"
    )  # 1000x.5 + 200x.5 + 300x3


def test_batch_is_priced_only_where_a_batch_price_is_known() -> None:
    usage = Usage(input=1000, output=1000, cache_read=500)
    assert cost(CLAUDE, usage, NOON, batch=True) == D("0.0084")  # 500x1.5 + 500x.3 + 1000x7.5
    assert cost(GPT_4O, usage, NOON, batch=True) is None
    tiered = LONG.model_copy(update={"batch": Rates(input=D(1), output=D(5))})
    assert cost(tiered, Usage(input=300_000, output=1), NOON, batch=True) is None


WORKDAYS = Window(hours_utc=("00:00-01:00", "04:00-06:00", "10:00-00:00"), iso_weekdays=(1, 2, 3, 4, 5))
WEEKEND = Window(hours_utc=("00:00-00:00",), iso_weekdays=(6, 7))
NIGHT = Window(hours_utc=("22:30-02:00",), iso_weekdays=(5,))


@pytest.mark.parametrize(
    ("windows", "moment", "low"),
    [
        ((WORKDAYS, WEEKEND), "2026-11-20T00:59:59", True),
        ((WORKDAYS, WEEKEND), "2026-11-20T01:00:00", False),
        ((WORKDAYS, WEEKEND), "2026-11-20T09:59:59", False),
        ((WORKDAYS, WEEKEND), "2026-11-20T10:00:00", True),
        ((WORKDAYS, WEEKEND), "2026-11-20T23:59:59", True),
        ((WORKDAYS, WEEKEND), "2026-11-21T07:00:00", True),
        ((NIGHT,), "2026-11-20T22:30:00", True),
        ((NIGHT,), "2026-11-21T01:59:00", True),
        ((NIGHT,), "2026-11-21T02:00:00", False),
        ((NIGHT,), "2026-11-20T01:00:00", False),
    ],
)
def test_off_peak_hours_are_utc_and_by_weekday(windows: tuple[Window, ...], moment: str, low: bool) -> None:
    price = Price(input=D(2), output=D(2), off_peak=OffPeak(input=D(1), windows=windows))
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert rates_for(price, 10, at).input == (D(1) if low else D(2))
    elsewhere = at.astimezone(timezone(timedelta(hours=9)))
    assert rates_for(price, 10, elsewhere) == rates_for(price, 10, at)


def test_scheduled_prices_come_into_force_on_their_day() -> None:
    price = Price(
        input=D(1), output=D(2), batch=Rates(input=D("0.5")),
        scheduled=(Scheduled(from_date="2027-02-01", input=D(9)), Scheduled(from_date="2027-01-01", input=D(3), output=D(4))),
    )  # fmt: skip
    assert price_at(price, date(2026, 12, 31)) == price
    january = price_at(price, date(2027, 1, 1))
    assert (january.input, january.output, len(january.scheduled)) == (D(3), D(4), 1)
    assert january.batch is None, "half of the old price is not half of the new one"
    assert price_at(price, date(2027, 2, 1)).input == D(9)
    last_second = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert cost(price, Usage(input=10, output=0), last_second) == D("0.00001")
    assert cost(price, Usage(input=10, output=0), last_second + timedelta(seconds=1)) == D("0.00003")


@pytest.mark.parametrize(
    ("price", "usage"),
    [
        pytest.param(Price(), Usage(input=1, output=1), id="no price"),
        pytest.param(Price(input=D(1)), Usage(input=1, output=1), id="no output price"),
        pytest.param(Price(output=D(1)), Usage(input=1, output=1), id="no input price"),
        pytest.param(GPT_4O, Usage(output=5), id="input not counted"),
        pytest.param(GPT_4O, Usage(input=5), id="output not counted"),
        pytest.param(
            Price(input=D(0), output=D(0), tiers=(Tier(over_input_tokens=1, input=D(1)),)),
            Usage(output=1),
            id="tier?",
        ),
    ],
)
def test_unknown_is_never_zero(price: Price, usage: Usage) -> None:
    assert cost(price, usage, NOON) is None


def test_a_missing_price_does_not_matter_where_nothing_was_used() -> None:
    assert cost(Price(input=D(1)), Usage(input=1_000_000, output=0), NOON) == D(1)


money = st.decimals(min_value=0, max_value=1000, places=6, allow_nan=False, allow_infinity=False)
maybe = st.none() | money
tokens = st.integers(0, 3_000_000)


@st.composite
def prices(draw: st.DrawFn) -> Price:
    limits = sorted(draw(st.sets(st.integers(1, 2_000_000), max_size=3)))
    marginal = draw(st.booleans())
    return Price(
        input=draw(money), output=draw(money), cache_read=draw(maybe), cache_write=draw(maybe),
        cache_write_1h=draw(maybe), reasoning=draw(maybe), per_1k_requests=draw(maybe),
        tiers=tuple(
            Tier(over_input_tokens=limit, marginal=marginal, input=draw(maybe), output=draw(maybe), cache_read=draw(maybe))
            for limit in limits
        ),
    )  # fmt: skip


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    read, written, plain = draw(tokens), draw(tokens), draw(tokens)
    output = draw(tokens)
    return Usage(
        input=read + written + plain, output=output, cache_read=read, cache_write=written,
        cache_write_1h=draw(st.none() | st.integers(0, written)), reasoning=draw(st.none() | st.integers(0, output)),
    )  # fmt: skip


@given(prices(), usages())
def test_parts_add_up_exactly_and_bill_every_token_once(price: Price, usage: Usage) -> None:
    bill = parts(price, usage, NOON)
    exact = sum((Fraction(p.tokens or 0) * Fraction(p.rate) / (1000 if p.bucket == "request" else 10**6) for p in bill if p.rate is not None), Fraction(0))  # fmt: skip
    total = cost(price, usage, NOON)
    assert total is not None
    assert Fraction(total) == exact
    assert total >= 0
    counted = {"output": 0, "input": 0}
    for part in bill:
        if part.bucket != "request":
            counted["output" if part.bucket in ("output", "reasoning") else "input"] += part.tokens or 0
    assert counted == {"input": usage.input, "output": usage.output}


@given(prices(), usages(), st.integers(0, 1_000_000))
def test_more_output_never_costs_less(price: Price, usage: Usage, more: int) -> None:
    longer = Usage(input=usage.input, output=(usage.output or 0) + more, cache_read=usage.cache_read)
    shorter = Usage(input=usage.input, output=usage.output, cache_read=usage.cache_read)
    assert (cost(price, longer, NOON) or 0) >= (cost(price, shorter, NOON) or 0)


@given(money, money, tokens, tokens, st.integers(1, 4_000_000))
def test_more_input_never_costs_less_within_a_tier(
    low: Decimal, high: Decimal, a: int, b: int, limit: int
) -> None:
    price = Price(input=low, output=D(1), tiers=(Tier(over_input_tokens=limit, input=high),))
    fewer, more = sorted((a, b))
    if (fewer > limit) == (more > limit):
        assert (cost(price, Usage(input=fewer, output=0), NOON) or 0) <= (
            cost(price, Usage(input=more, output=0), NOON) or 0
        )


@given(st.integers(-(10**18), 10**18))
def test_nanos_survive_the_way_there_and_back(nanos: int) -> None:
    assert to_nanos(from_nanos(nanos)) == nanos


@pytest.mark.parametrize(
    ("dollars", "nanos"),
    [("0.0000000005", 0), ("0.0000000015", 2), ("0.0000000025", 2), ("0.00000000251", 3)],
)
def test_nanos_round_half_to_even(dollars: str, nanos: int) -> None:
    assert to_nanos(D(dollars)) == nanos


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, None), (D("0.00008"), "0.000080000"), (D("1E+3"), "1000.000000000"), (D(0), "0.000000000")],
)
def test_dollars_are_written_with_nine_decimals(amount: Decimal | None, text: str | None) -> None:
    assert usd_string(amount) == text
