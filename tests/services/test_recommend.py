"""Recommendations: who is first, who is not recommended, why, and that nobody is left out without a word."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.capabilities import Ability
from catalog.errors import UsageError
from catalog.recommend import STANDINGS, TASKS, Candidate, rank
from catalog.usage import Usage
from services.clock import now_ms
from services.container import Services
from services.feed import ModelsChanged
from services.recommend import Advice, recommend, wish_of
from store.ledger import AttemptRow, Ledger
from store.models import ModelRow, Models
from store.providers import ProviderRow, Providers

RUN = Usage(input=1_000, output=500)
TOOLS = Ability("tools", True, "live")
GUESSED = Ability("tools", True, "pattern")
UNKNOWN = Ability("tools", None, "")
NO_TOOLS = Ability("tools", False, "probe")


def one(ref: str, cost: str | None = "0.01", **more: Any) -> Candidate:
    values = {"abilities": (TOOLS,), "context_window": 128_000, "own": False, **more}
    return Candidate(ref=ref, cost=None if cost is None else Decimal(cost), **values)


def told(candidates: Sequence[Candidate], budget: str | None = "0.02") -> list[tuple[str, str]]:
    found = rank(candidates, RUN, None if budget is None else Decimal(budget))
    return [(verdict.ref, verdict.standing) for verdict in found]


def test_stated_abilities_go_before_guesses_then_the_cheaper_then_the_faster() -> None:
    candidates = [
        one("a/guessed", "0.001", abilities=(GUESSED,)),
        one("a/dear", "0.02"),
        one("a/slow", "0.01", tok_per_s=10.0),
        one("a/fast", "0.01", tok_per_s=90.0),
        one("a/mine", None, own=True),
    ]
    assert [ref for ref, _ in told(candidates)] == ["a/mine", "a/fast", "a/slow", "a/dear", "a/guessed"]


@pytest.mark.parametrize(
    ("candidate", "standing", "why"),
    [
        (one("a/m", None), "unpriced", "price unknown, so no budget can be kept"),
        (one("a/m", "0.05"), "over_budget", "2.5 times the budget"),
        (one("a/m", ill="its provider: no credit"), "unhealthy", "its provider: no credit"),
        (one("a/m", runs=10, failed=4), "unhealthy", "4 of 10 runs failed in 30 days"),
        (one("a/m", out_of_use="switched off"), "unavailable", "switched off"),
        (one("a/m", abilities=(NO_TOOLS,)), "unfit", "cannot do tools: asked"),
        (one("a/m", abilities=(UNKNOWN,)), "unsure", "nobody says it can do tools"),
        (one("a/m", context_window=1_000), "unfit", "1,500 tokens do not fit its context of 1,000"),
        (one("a/m", unfit="does not answer in words"), "unfit", "does not answer in words"),
    ],
)
def test_what_is_not_recommended_says_why_first(candidate: Candidate, standing: str, why: str) -> None:
    [verdict] = rank([candidate], RUN, Decimal("0.02"))
    assert (verdict.standing, verdict.rank) == (standing, None)
    assert verdict.why == why


def test_few_errors_and_few_runs_speak_against_nobody() -> None:
    assert told([one("a/m", runs=100, failed=25), one("a/n", runs=4, failed=4)]) == [
        ("a/m", "fits"),
        ("a/n", "fits"),
    ]


def test_without_a_budget_every_price_is_right_but_an_unknown_one() -> None:
    assert told([one("a/dear", "900"), one("a/unknown", None)], None) == [
        ("a/dear", "fits"),
        ("a/unknown", "unpriced"),
    ]


def test_a_budget_of_nothing_leaves_what_is_free() -> None:
    free, mine = one("a/free", "0"), one("a/mine", None, own=True)
    assert told([one("a/paid", "0.01"), free, mine], "0") == [
        ("a/free", "fits"),
        ("a/mine", "fits"),
        ("a/paid", "over_budget"),
    ]


costs = st.none() | st.decimals(0, 10, places=4, allow_nan=False)
candidates = st.builds(
    Candidate,
    ref=st.text("abc/", min_size=1, max_size=6),
    abilities=st.sampled_from([(), (TOOLS,), (GUESSED,), (UNKNOWN,), (NO_TOOLS,)]),
    context_window=st.none() | st.integers(1, 10_000),
    cost=costs,
    own=st.booleans(),
    out_of_use=st.none() | st.just("off"),
    ill=st.none() | st.just("ill"),
    runs=st.integers(0, 20),
    failed=st.integers(0, 20),
)


@given(st.lists(candidates, max_size=20), st.none() | st.decimals(0, 5, places=3, allow_nan=False))
def test_nobody_is_left_out_and_everybody_has_a_reason(
    given: list[Candidate], budget: Decimal | None
) -> None:
    verdicts = rank(given, RUN, budget)
    assert sorted(v.ref for v in verdicts) == sorted(c.ref for c in given)
    order = [STANDINGS.index(v.standing) for v in verdicts]
    assert order == sorted(order)
    assert [v.rank for v in verdicts if v.rank] == list(range(1, order.count(0) + 1))
    for verdict in verdicts:
        assert verdict.reasons
        assert verdict.reasons[0].text
        if verdict.rank is not None and budget is not None and not verdict.candidate.own:
            assert verdict.candidate.cost is not None
            assert verdict.candidate.cost <= budget


# -- out of a store ----------------------------------------------------------------------------------


def provider(slug: str, **more: object) -> ProviderRow:
    now = now_ms()
    base = {
        "slug": slug, "name": slug, "dialect": "openai", "catalog_id": None, "endpoint": "https://api.example.com/v1",
        "region": None, "enabled": True, "key_ref": None, "key_last4": None, "headers": {}, "secret_headers": {},
        "options": {}, "labels": {}, "timeout_s": None, "retries": None, "proxy": None, "ca_file": None,
        "allow_http": False, "tls_min": None, "cost_mode": None, "gpu_hour_nanos": None, "discount_pct": None,
        "default_model": None, "auto_sync": "off", "state": "ok", "state_message": None, "state_at": now,
        "last_validated_at": now, "created_at": now, "updated_at": now,
    }  # fmt: skip
    return ProviderRow(**{**base, **more})  # type: ignore[arg-type]


def model(slug: str, name: str, price: tuple[str, str] | None, *able: str, **more: object) -> ModelRow:
    text = json.dumps({"input": price[0], "output": price[1]}) if price else None
    now = now_ms()
    base: dict[str, object] = {
        "price_json": text, "context_window": 128_000, "capabilities": able or None, "first_seen": now, "last_seen": now,
        "chat": True,
    }  # fmt: skip
    return ModelRow(slug, name, **{**base, **more})  # type: ignore[arg-type]


async def stocked(services: Services, *providers: tuple[ProviderRow, list[ModelRow]]) -> None:
    async with services.db.transaction() as tx:
        for row, models in providers:
            await Providers(services.db).insert(tx, row)
            await Models(services.db).replace_live(tx, row.slug, models)
    services.feed.publish(ModelsChanged(None))


def by_ref(advice: Advice) -> dict[str, str]:
    return {verdict.ref: verdict.standing for verdict in advice.verdicts}


async def test_a_store_is_judged_with_what_is_known_of_it(services: Services) -> None:
    await stocked(
        services,
        (provider("a"), [model("a", "mini", ("0.1", "0.4"), "tools"), model("a", "max", ("10", "40"), "tools")]),
        (provider("broke", state="no_credit"), [model("broke", "m", ("0.1", "0.4"), "tools")]),
        (provider("new", dialect="klingon"), [model("new", "m", ("0.1", "0.4"), "tools")]),
        (provider("off", enabled=False), [model("off", "m", ("0.1", "0.4"), "tools")]),
        (provider("home", endpoint="http://127.0.0.1:9/v1"), [model("home", "m", None, "tools")]),
    )  # fmt: skip
    advice = await recommend(services, wish_of("code", "0.01", "tools"))
    assert by_ref(advice) == {
        "home/m": "fits", "a/mini": "fits", "a/max": "over_budget", "broke/m": "unhealthy", "new/m": "unavailable",
        "off/m": "unavailable",
    }  # fmt: skip
    assert [verdict.ref for verdict in advice.verdicts][:2] == ["home/m", "a/mini"]
    assert advice.verdicts[1].candidate.cost == Decimal("0.0018")  # 12,000 x 0.1 + 1,500 x 0.4
    why = {verdict.ref: verdict.why for verdict in advice.verdicts}
    assert why["new/m"] == "nothing installed here speaks klingon"
    assert not advice.yours


async def test_a_discount_counts(services: Services) -> None:
    await stocked(services, (provider("a", discount_pct=50.0), [model("a", "m", ("1", "1"))]))
    [verdict] = (await recommend(services, wish_of("translate", ""))).verdicts
    assert verdict.candidate.cost == Decimal("0.0021")


async def test_a_chat_is_priced_as_ones_own_typical_run(services: Services) -> None:
    await stocked(services, (provider("a"), [model("a", "m", ("1", "2"))]))
    async with services.db.transaction() as tx:
        for number in range(10):
            await Ledger(services.db).insert(
                tx,
                AttemptRow(None, f"r{number}", 1, True, now_ms() - 60_000, "a", "m", "complete", input=3_000, output=100,
                           cost_nanos=1, grade="computed", ttft_ms=200, duration_ms=1_200),
            )  # fmt: skip
    advice = await recommend(services, wish_of("chat", "1"))
    assert (advice.yours, advice.run.input, advice.run.output) == (True, 3_000, 100)
    [verdict] = advice.verdicts
    assert verdict.candidate.cost == Decimal("0.0032")
    assert (verdict.candidate.runs, verdict.candidate.failed) == (10, 0)
    assert (await recommend(services, wish_of("code", "1"))).run == TASKS["code"].run


async def test_speech_models_are_there_to_transcribe_and_not_to_chat(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.models import ModelView

    await stocked(services, (provider("a"), [model("a", "ear", ("1", "2"), "audio", chat=False)]))
    assert by_ref(await recommend(services, wish_of("chat", "")))["a/ear"] == "unfit"
    found: Callable[..., Any] = services.models.list

    async def heard(*args: object, **more: object) -> list[ModelView]:
        views = await found(*args, **more)
        info = views[0].info.model_copy(update={"modalities_in": ("audio",), "modalities_out": ("text",)})
        return [replace(views[0], info=info)]

    monkeypatch.setattr(services.models, "list", heard)
    assert by_ref(await recommend(services, wish_of("transcribe", "")))["a/ear"] == "fits"


@pytest.mark.parametrize(
    ("task", "budget", "needs", "words"),
    [
        ("cooking", "", "", "no task cooking"),
        ("chat", "lots", "", "no amount"),
        ("chat", "-1", "", "no amount"),
        ("chat", "NaN", "", "no amount"),
        ("chat", "1e99", "", "no amount"),
        ("chat", "", "tools,wings", "no capability wings"),
        ("\x1b[31m", "", "", "no task"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_way_on(
    task: str, budget: str, needs: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        wish_of(task, budget, needs)
    assert refused.value.hint
    assert "\x1b" not in refused.value.message


def test_a_wish_is_read_as_people_write_it() -> None:
    wish = wish_of(" Vision ", "$0.01", "tools, json  tools")
    assert (wish.task, wish.budget, wish.needs) == ("vision", Decimal("0.01"), ("tools", "json"))
    assert wish.wanted == ("vision", "tools", "json")
    assert wish_of("", "", "").budget is None


async def test_a_plain_list_of_names_sorts_speech_guards_and_embeddings_out(services: Services) -> None:
    names = (
        "gpt-4o", "whisper-large-v3", "gpt-4o-mini-tts", "text-embedding-3-small", "llama-guard-3-8b",
        "gpt-oss-safeguard-20b", "orpheus-v1-english", "parakeet-tdt-0.6b",
    )  # fmt: skip
    listed = [model("a", name, ("1", "2"), chat=None) for name in names]
    await stocked(services, (provider("a"), listed))
    chat = by_ref(await recommend(services, wish_of("chat", "")))
    assert [ref for ref, standing in chat.items() if standing == "fits"] == ["a/gpt-4o"]
    advice = await recommend(services, wish_of("transcribe", ""))
    fits = [verdict for verdict in advice.verdicts if verdict.rank]
    assert [verdict.ref for verdict in fits] == ["a/parakeet-tdt-0.6b", "a/whisper-large-v3"]
    assert "audio: guessed from the name" in fits[0].why


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        ("0.0100001", "a trifle over the budget"),
        ("0.0104", "4.0% over the budget"),
        ("0.02", "2.0 times the budget"),
    ],
)
def test_how_far_over_the_budget_is_told_to_the_point(cost: str, words: str) -> None:
    [verdict] = rank([one("a/m", cost)], RUN, Decimal("0.01"))
    assert verdict.why == words


def test_the_reason_names_the_layer_and_not_the_inner_names_of_its_sources() -> None:
    [verdict] = rank(
        [one("a/m", abilities=(Ability("vision", True, "catalog:litellm+base:modelsdev"),))], RUN, None
    )
    assert verdict.why.startswith("vision: catalog;")


async def test_a_provider_without_its_key_is_not_recommended(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_THAT_IS_SET", "sk-0123456789abcdef")
    await stocked(
        services,
        (provider("none", catalog_id="openai"), [model("none", "m", ("1", "2"))]),
        (provider("unset", key_ref="env:KEY_THAT_IS_NOT"), [model("unset", "m", ("1", "2"))]),
        (provider("set", key_ref="env:KEY_THAT_IS_SET"), [model("set", "m", ("1", "2"))]),
        (provider("home"), [model("home", "m", ("1", "2"))]),
    )
    advice = await recommend(services, wish_of("chat", ""))
    why = {verdict.ref: verdict.why for verdict in advice.verdicts if verdict.standing == "unhealthy"}
    assert why == {
        "none/m": "its provider has no key yet",
        "unset/m": "its key's variable KEY_THAT_IS_NOT is not set",
    }
    assert [verdict.ref for verdict in advice.verdicts if verdict.rank] == ["home/m", "set/m"]
