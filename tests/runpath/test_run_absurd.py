"""Amounts that no run costs: a server that states or lists them breaks neither the run nor the ledger."""

from __future__ import annotations

from decimal import Decimal

import pytest
from runpath_play import Room, answer, ask, model

from catalog.types import Price
from catalog.usage import Usage
from services.tariff import WorstCase
from store.ledger import Ledger
from store.models import Models


@pytest.mark.parametrize("stated", [Decimal("1000000.01"), Decimal("1e10"), Decimal("9e14")])
async def test_an_absurd_stated_cost_is_none(room: Room, stated: Decimal) -> None:
    room.plays(answer("Yes.", usage=Usage(input=12, output=5, reported_cost=stated)))
    result = await room.services.runs.start(ask()).result()
    assert (result.state, result.text, result.grade) == ("complete", "Yes.", "computed")
    assert result.cost == Decimal("0.00008"), "by its tokens"
    [row] = await Ledger(room.services.db).recent()
    assert row.cost_nanos == 80_000


async def test_a_cost_of_absurd_token_counts_is_unknown(room: Room) -> None:
    room.plays(answer("Yes.", usage=Usage(input=9 * 10**11, output=9 * 10**11)))
    result = await room.services.runs.start(ask()).result()
    assert (result.state, result.cost, result.grade) == ("complete", None, "unknown")
    [row] = await Ledger(room.services.db).recent()
    assert row.cost_nanos is None


async def test_the_dearest_listed_price_and_the_longest_answer_can_be_set_aside(room: Room) -> None:
    async with room.services.db.transaction() as tx:
        dear = model("acme", "dear", Price(input=Decimal(10**6), output=Decimal(10**6)), max_output=10**12)
        await Models(room.services.db).replace_live(tx, "acme", [dear])
    room.plays(answer("Yes.", usage=Usage(input=12, output=5)))
    result = await room.services.runs.start(ask(model="acme/dear")).result()
    assert (result.state, result.cost) == ("complete", Decimal(17))


def test_what_is_set_aside_fits_the_store() -> None:
    assert 90 * WorstCase(Decimal(1), Decimal(1)).nanos(10**30) < 2**63
