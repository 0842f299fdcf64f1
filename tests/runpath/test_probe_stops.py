"""Asking models that is stopped or goes wrong in the middle: what was paid for is told, and nobody goes on paying."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from runpath_play import Play, Room, answer

import services.probe
from adapters.events import TextDelta
from catalog.usage import Usage
from services.probe import Options
from services.probe_questions import request
from services.probe_verdict import Verdict
from services.run_events import RunResult
from store.ledger import Ledger

REF = "acme/big"


async def test_stopped_in_the_second_question_the_first_is_still_in_what_it_cost(room: Room) -> None:
    hanging = Play([TextDelta("8"), asyncio.Event()])
    room.plays(answer("8", usage=Usage(input=100, output=1_000)), hanging)
    plan = await room.services.probes.plan([REF], ["reasoning"])
    work = room.services.probes.start(plan, Options(retries=0))
    await hanging.opened.wait()
    work.cancel()
    [result] = await work.wait()
    rows = await Ledger(room.services.db).recent(5)
    assert sorted(row.outcome for row in rows) == ["cancelled", "complete"]
    paid = sum(row.cost_nanos or 0 for row in rows)
    assert paid > 10_000_000, "the first question alone cost a cent"
    assert work.spent == result.cost
    assert int(work.spent * 10**9) == paid, "what is told is what the ledger has"


async def test_the_schema_of_a_wanted_answer_is_set_aside_and_said_as_part_of_the_prompt(room: Room) -> None:
    estimates = room.services.estimates
    wanted = request(REF, "json")
    bare = replace(wanted, json_schema=None)
    schema = len(json.dumps(wanted.json_schema))
    with_it, without = await estimates.estimate(wanted), await estimates.estimate(bare)
    assert with_it.input_tokens - without.input_tokens == pytest.approx(schema / 4, abs=1)
    [model] = (await room.services.probes.plan([REF], ["json"])).models
    assert model.prices["json"].high == with_it.high, (
        "what is said before asking is what the run reckons with"
    )


async def test_a_mistake_over_one_answer_lets_no_other_question_go_on_unseen(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = Play([TextDelta("8"), asyncio.Event()])
    room.plays(hanging, answer("8"))

    def judged(_capability: str, _result: RunResult) -> Verdict:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(services.probe, "judged", judged)
    plan = await room.services.probes.plan([REF, "home/llama"], ["tools"])
    work = room.services.probes.start(plan, Options(retries=0))
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        await asyncio.wait_for(work.wait(), 10)
    assert work.done
    assert not room.services.runs.active(), "the other question is stopped and settled"
    assert hanging.closed.is_set()
    assert await room.reserved() == 0
