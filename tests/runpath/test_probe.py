"""Models asked what they can do: what each answer shows, what is stored, and what never is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from runpath_play import PRICE, Play, Room, answer, model, provider, refused

from adapters.errors import InvalidCredentialsError, Origin, error_from_answer
from adapters.events import Event, Finished, TextDelta, ThinkingDelta, ToolCallDelta, UsageUpdate
from catalog.capabilities import ability, source_words
from catalog.errors import NotFoundError, ReadOnlyError, UsageError
from catalog.usage import Usage
from services.feed import ModelsChanged, ProbeProgress
from services.paths import Paths
from services.probe import Options, ProbeResult
from store.audit import AuditRow
from store.ledger import Ledger
from store.models import Models
from store.providers import Providers

REF = "acme/big"
FITS = '{"planet": "Jupiter", "letters_in_its_name": 7}'


def call(name: str = "get_weather", arguments: str = '{"city": "Paris"}') -> Play:
    events: list[Event] = [ToolCallDelta(0, "c1", name, arguments), Finished("complete", "tool_calls")]
    return Play(events)


def vendor_says(status: int, message: str, **more: str) -> Play:
    body = json.dumps({"error": {"message": message, **more}}).encode()
    return refused(error_from_answer(Origin("acme", "big"), status, {}, body))


def cut(text: str) -> Play:
    return answer(text, reason="length")


def thinking() -> Play:
    return Play([ThinkingDelta("three up, two down"), TextDelta("8"), Finished("complete", "stop")])


def hidden_thinking() -> Play:
    return answer("8", usage=Usage(input=20, output=90, reasoning=64))


async def asked(room: Room, capability: str, *plays: Play, ref: str = REF) -> ProbeResult:
    room.plays(*plays)
    work = room.services.probes.start(
        await room.services.probes.plan([ref], [capability]), Options(retries=0)
    )
    [result] = await work.wait()
    return result


@pytest.mark.parametrize(
    ("capability", "plays", "can", "words"),
    [
        ("tools", [call()], True, "called get_weather for Paris"),
        ("tools", [call(arguments='{"city": 7}')], False, "do not fit"),
        ("tools", [call(arguments='{"city": "Paris", "unit": "c"}')], False, "do not fit"),
        ("tools", [call(arguments='{"city": "Par')], False, "do not fit"),
        ("tools", [call("rm_rf", "{}")], False, "not offered"),
        ("tools", [answer("It is sunny in Paris.")], False, "answered in words"),
        ("tools", [answer('{"name": "get_weather", "arguments": {"city": "Paris"}}')], False, "wrote the call"),
        ("tools", [vendor_says(400, "registry/big does not support tools")], False, "refuses"),
        ("tools", [vendor_says(404, "No endpoints found that support tool use")], False, "refuses"),
        ("tools", [vendor_says(400, '"auto" tool choice requires --enable-auto-tool-choice')], False, "refuses"),
        ("tools", [vendor_says(400, "Something about your request is odd")], None, "odd"),
        ("tools", [answer("")], None, "answered nothing"),
        ("tools", [answer("<think>Shall I call get_weather?")], None, "answered nothing"),
        ("tools", [cut("<think>Let me see")], None, "cut off"),
        ("vision", [answer("Blue, yellow, red, green.")], True, "in their order"),
        ("vision", [answer("<think>red? no</think>\n\nBLUE yellow red GREEN")], True, "in their order"),
        ("vision", [answer("red, green, blue, yellow")], False, "did not see"),
        ("vision", [answer("blue, yellow, green, red")], False, "did not see"),
        ("vision", [answer("I cannot see images.")], False, "did not see"),
        ("vision", [cut("Let me describe the picture at length")], None, "cut off"),
        ("vision", [vendor_says(400, "big is not a multimodal model")], False, "refuses"),
        ("vision", [vendor_says(500, "image input is not supported - hint: provide the mmproj")], False, "refuses"),
        ("vision", [vendor_says(400, "messages.0.content must be a string")], False, "refuses"),
        ("vision", [vendor_says(404, "The model does not exist")], None, "does not offer"),
        ("json", [answer(FITS)], True, "fits the schema"),
        ("json", [answer(f"<think>hm</think>{FITS}")], True, "fits the schema"),
        ("json", [answer(f"```json\n{FITS}\n```")], False, "code block"),
        ("json", [answer("That is Jupiter.")], False, "ignored"),
        ("json", [answer('{"planet": "Jupiter"}')], False, "not of the schema"),
        ("json", [answer('{"planet": "Jupiter", "letters_in_its_name": "7"}')], False, "not of the schema"),
        ("json", [answer('{"planet": "Jupiter", "letters_in_its_name": true}')], False, "not of the schema"),
        ("json", [answer("[" * 20_000)], False, "ignored"),
        ("json", [cut('{"planet": "Jup')], None, "cut off"),
        ("json", [vendor_says(400, "This response_format type is unavailable now")], False, "refuses"),
        ("reasoning", [thinking()], True, "showed its thinking"),
        ("reasoning", [hidden_thinking()], True, "64 reasoning tokens"),
        ("reasoning", [answer("<think>three up</think>8")], True, "showed its thinking"),
        ("reasoning", [cut("<think>three up, two down, three up")], True, "showed its thinking"),
        ("reasoning", [answer("<think>\n\n</think>\n8"), answer("8")], False, "without thinking"),
        ("reasoning", [answer("8"), hidden_thinking()], True, "64 reasoning tokens"),
        ("reasoning", [answer("8"), vendor_says(400, "Unrecognized request argument: reasoning_effort")], False, "refuses"),
        ("reasoning", [cut("")], None, "cut off"),
    ],
)  # fmt: skip
async def test_what_an_answer_shows(
    room: Room, capability: str, plays: list[Play], can: bool | None, words: str
) -> None:
    result = await asked(room, capability, *plays)
    assert (result.can, words in result.detail) == (can, True), result
    view = await room.services.models.get(REF)
    if can is None:
        assert view.asked == {}
    else:
        assert view.asked[capability].can is can
        assert view.info.sources[f"capabilities.{capability}"] == "probe"
        assert (capability in (view.info.capabilities or ())) is can


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (429, "Slow down, no tools for you", "rate_limited"),
        (401, "invalid api key for tools", "invalid_credentials"),
        (402, "no credit left for tool calls", "no_credit"),
        (403, "tools are not allowed for this key", "permission"),
        (503, "tools are unavailable", "rate_limited"),
        (504, "timed out calling tools", "timeout"),
    ],
)
async def test_a_bad_moment_is_never_a_no(room: Room, status: int, message: str, code: str) -> None:
    result = await asked(room, "tools", vendor_says(status, message))
    assert result.can is None
    assert result.error is not None
    assert result.error.code == code
    assert (await room.services.models.get(REF)).asked == {}


async def test_a_model_whose_name_speaks_of_vision_and_is_gone_is_not_blind(room: Room) -> None:
    async with room.services.db.transaction() as tx:
        await Models(room.services.db).replace_live(tx, "acme", [model("acme", "llama-vision", PRICE)])
    room.services.feed.publish(ModelsChanged("acme"))
    gone = vendor_says(400, "The request for llama-vision is invalid")
    result = await asked(room, "vision", gone, ref="acme/llama-vision")
    assert result.can is None


async def test_what_is_sent_and_written(room: Room) -> None:
    room.plays(
        call(), answer("blue yellow red green", usage=Usage(input=900, output=8)), answer(FITS), thinking()
    )
    services = room.services
    plan = await services.probes.plan([REF])
    assert plan.questions == 4
    low, high = plan.cost.low, plan.cost.high
    assert low is not None
    assert high is not None
    assert 0 < low < high < Decimal("0.1")
    work = services.probes.start(plan)
    assert services.probes.start(plan) is work, "one round at a time"
    results = await work.wait()
    assert [(r.capability, r.can) for r in results] == [
        (n, True) for n in ("tools", "vision", "json", "reasoning")
    ]
    tools, vision, schema, puzzle = room.adapter.requests
    assert all(request.max_tokens == 1_024 for request in room.adapter.requests)
    assert tools.tools[0].name == "get_weather"
    assert tools.tool_choice is None, "offered, not forced"
    [picture] = vision.messages[0].images
    assert picture.data.startswith(b"\x89PNG")
    assert not any(word in vision.messages[0].text.lower() for word in ("blue", "yellow", "green"))
    assert schema.json_schema is not None
    assert "json" not in schema.messages[0].text.lower()
    assert puzzle.reasoning_effort is None
    rows = [row for row in await Ledger(services.db).recent(20) if row.caller == "probe"]
    assert len(rows) == 4
    assert all(row.conversation_id is None for row in rows)
    assert await services.conversations.list() == []
    assert work.spent == sum((r.cost for r in results if r.cost is not None), Decimal(0)) > 0
    audited = await _audited(room, "model.probe")
    assert audited[0].subject == REF
    assert (audited[0].detail or {})["after"] == dict.fromkeys(("tools", "vision", "json", "reasoning"), True)  # fmt: skip
    assert list(dict.fromkeys(e.done for e in room.events if isinstance(e, ProbeProgress))) == [0, 1, 2, 3, 4]
    view = await services.models.get(REF)
    assert source_words(ability(view.info, "tools", view.asked)).startswith("asked 20")


async def _audited(room: Room, action: str) -> list[AuditRow]:
    from store.audit import AuditLog, load_key

    log = AuditLog(room.services.db, load_key(room.services.paths.audit_key))
    return [row for row in await log.list(limit=50) if row.action == action]


async def test_a_limit_refuses_and_nothing_is_stored(room: Room) -> None:
    await room.services.budgets.set("global", "daily", Decimal("0.000001"))
    result = await asked(room, "tools", call())
    assert (result.can, result.cost, result.grade) == (None, Decimal(0), None)
    assert result.error is not None
    assert result.error.code == "budget"
    assert room.adapter.requests == []


async def test_an_unknown_price_under_a_limit_wants_a_yes(room: Room) -> None:
    await room.services.budgets.set("global", "daily", Decimal(1))
    room.plays(call())
    plan = await room.services.probes.plan(["acme/mystery"], ["tools"])
    assert (plan.unknown, plan.limited) == (("acme/mystery",), ("acme/mystery",))
    [result] = await room.services.probes.start(plan).wait()
    assert result.error is not None
    assert (result.can, result.error.code) == (None, "unpriced")
    [result] = await room.services.probes.start(plan, Options(allow_unpriced=True)).wait()
    assert (result.can, result.grade, result.cost) == (True, "unknown", None)


async def test_after_a_refused_key_the_provider_is_asked_no_more(room: Room) -> None:
    room.plays(refused(InvalidCredentialsError("acme refuses the key.", hint="Enter a new key for acme.")))
    plan = await room.services.probes.plan([REF, "acme/mystery", "home/llama"], ["tools", "json"])
    work = room.services.probes.start(plan)
    results = await work.wait()
    assert len(results) == 6
    assert all(r.can is None and r.error is not None for r in results)
    sent = {request.model for request in room.adapter.requests}
    assert len(room.adapter.requests) <= 3, "one question tells; two models of a provider are asked at once"
    assert "llama" in sent, "another provider is asked all the same"


async def test_stopping_keeps_what_was_answered_and_settles_the_rest(room: Room) -> None:
    hanging = Play([TextDelta("blue"), asyncio.Event()])
    room.plays(call(), hanging)
    work = room.services.probes.start(await room.services.probes.plan([REF]))
    await hanging.opened.wait()
    work.cancel()
    results = await work.wait()
    assert work.stopped
    assert [(r.capability, r.can) for r in results] == [("tools", True), ("vision", None)]
    assert hanging.closed.is_set(), "the connection is closed"
    view = await room.services.models.get(REF)
    assert {name: found.can for name, found in view.asked.items()} == {"tools": True}
    assert await room.reserved() == 0
    rows = await Ledger(room.services.db).recent(5)
    assert sorted(row.outcome for row in rows) == ["cancelled", "complete"]


async def test_quitting_in_the_middle_keeps_what_was_answered(
    open_room: Callable[[], Awaitable[Room]], paths: Paths
) -> None:
    room = await open_room()
    hanging = Play([asyncio.Event()])
    room.plays(call(), hanging)
    room.services.probes.start(await room.services.probes.plan([REF]))
    await hanging.opened.wait()
    await room.services.aclose()
    again = await open_room()
    assert (await again.services.models.get(REF)).asked["tools"].can is True


async def test_two_processes_lose_nothing_of_each_other(open_room: Callable[[], Awaitable[Room]]) -> None:
    one, two = await open_room(), await open_room()
    one.plays(call())
    two.plays(answer(FITS))
    works = [
        one.services.probes.start(await one.services.probes.plan([REF], ["tools"])),
        two.services.probes.start(await two.services.probes.plan([REF], ["json"])),
    ]
    await asyncio.gather(*(work.wait() for work in works))
    third = await open_room()
    assert set((await third.services.models.get(REF)).asked) == {"tools", "json"}


async def test_the_answers_outlive_a_sync_until_the_weights_change(room: Room) -> None:
    services = room.services
    store = Models(services.db)

    async def listed(**more: object) -> None:
        async with services.db.transaction() as tx:
            row = model("acme", "big", PRICE, capabilities=("json",), **more)
            await store.replace_live(tx, "acme", [row])
        services.feed.publish(ModelsChanged("acme"))

    await listed(fingerprint="sha256:aa", created=1_000_000)
    await asked(room, "tools", call())
    await listed(fingerprint="sha256:aa", created=1_000_000)
    view = await services.models.get(REF)
    assert "tools" in (view.info.capabilities or ())
    await listed(fingerprint="sha256:bb", created=1_000_000)
    view = await services.models.get(REF)
    assert view.info.capabilities == ("json",), "what another model could does not count"
    found = ability(view.info, "tools", view.asked)
    assert (found.can, found.source, found.outdated) == (False, "live", True)
    assert "before the model changed" in source_words(found)
    await asked(room, "tools", answer("in words"))
    view = await services.models.get(REF)
    assert (ability(view.info, "tools", view.asked).can, view.asked["tools"].stale) == (False, False)


async def test_the_users_word_goes_before_every_answer(room: Room) -> None:
    services = room.services
    await asked(room, "tools", answer("in words"))
    await services.probes.say([REF], "tools", True)
    view = await services.models.get(REF)
    assert "tools" in (view.info.capabilities or ())
    assert view.info.sources["capabilities.tools"] == "user"
    await asked(room, "tools", answer("in words again"))
    view = await services.models.get(REF)
    assert view.info.sources["capabilities.tools"] == "user", "asking does not overrule the user"
    await services.probes.say([REF], "tools", None)
    view = await services.models.get(REF)
    assert "capabilities.tools" not in view.info.sources
    assert len(await _audited(room, "model.say")) == 2


async def test_what_is_not_asked(room: Room) -> None:
    services = room.services
    async with services.db.transaction() as tx:
        await Providers(services.db).insert(tx, replace(provider("dark"), enabled=False))
        await Models(services.db).replace_live(tx, "dark", [model("dark", "m", PRICE)])
        await Models(services.db).replace_live(tx, "home", [model("home", "ears", None, chat=False)])
    services.feed.publish(ModelsChanged(None))
    plan = await services.probes.plan([REF, "dark/m", "home/ears", "home/llama", REF])
    assert [one.view.ref for one in plan.models] == [REF]
    assert dict(plan.skipped).keys() == {"dark/m", "home/ears", "home/llama"}
    with pytest.raises(NotFoundError):
        await services.probes.plan(["acme/nobody-knows-it"])
    with pytest.raises(UsageError):
        await services.probes.plan([REF], ["audio"])
    services.db.read_only = True
    with pytest.raises(ReadOnlyError):
        services.probes.start(plan)


async def test_a_damaged_record_is_no_record(room: Room) -> None:
    services = room.services
    for text in (
        "{",
        "[]",
        '{"tools": 1}',
        '{"tools": {"can": "yes"}}',
        '{"tools": {"can": true, "at": "x"}}',
    ):
        async with services.db.transaction() as tx:
            await Models(services.db).set_probed(tx, "acme", "big", text)
        services.feed.publish(ModelsChanged("acme"))
        view = await services.models.get(REF)
        assert set(view.asked) <= {"tools"}
    result = await asked(room, "tools", call())
    assert result.can is True


async def test_usage_counts_what_a_probe_took(room: Room) -> None:
    used = Play([ToolCallDelta(0, "c", "get_weather", '{"city":"Paris"}'), UsageUpdate(Usage(input=1_000, output=100)), Finished("complete", "tool_calls")])  # fmt: skip
    result = await asked(room, "tools", used)
    assert (result.cost, result.grade) == (Decimal("0.0035"), "computed")
