"""A run through OpenRouter: who answered, what it says it cost, and the reasoning that it wants back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from runpath_play import PRICE, model, provider

from adapters.events import Message
from catalog.errors import UnpricedError
from catalog.types import Price
from services.container import open_services
from services.paths import Paths
from services.run import RunRequest
from store.models import Models
from store.providers import Providers

SIGNED = {"type": "reasoning.text", "text": "hm", "signature": "c2ln", "index": 0}
ROWS = [
    {"delta": {"role": "assistant", "content": "", "reasoning": "hm", "reasoning_details": [SIGNED]}},
    {"delta": {"role": "assistant", "content": "Hello there."}},
    {"delta": {"content": ""}, "finish_reason": "stop"},
]
USAGE = {"prompt_tokens": 12, "completion_tokens": 5, "cost": 0.00042}


async def test_who_answered_and_what_it_cost_is_known(paths: Paths) -> None:
    served = "x-ai/grok-4"
    asked: list[dict[str, object]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        asked.append(json.loads(await reader.readexactly(length)))
        chunks: list[dict[str, object]] = [
            {"model": served, "provider": "xAI", "choices": [row]} for row in ROWS
        ]
        chunks.append({"choices": [], "usage": USAGE})
        body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        writer.write(b": OPENROUTER PROCESSING\n\n" + body.encode() + b"data: [DONE]\n\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1"
    async with server, open_services(paths, actor="test") as services:
        async with services.db.transaction() as tx:
            row = provider("acme", dialect="openrouter", endpoint=url, options={"models": served})
            await Providers(services.db).insert(tx, row)
            await Models(services.db).replace_live(
                tx, "acme", [model("acme", "big", PRICE), model("acme", served, PRICE)]
            )
        question = Message("user", "Hello?")
        result = await services.runs.start(RunRequest("acme/big", (question,))).result()
        assert (result.text, result.thinking, result.state) == ("Hello there.", "hm", "complete")
        assert (result.cost, result.grade) == (Decimal("0.00042"), "reported")
        assert result.attempts[-1].served_by == "x-ai/grok-4 at xAI"
        kept = result.keepsake
        assert kept is not None
        turns = (question, Message("assistant", result.text, keepsake=kept), Message("user", "And?"))
        await services.runs.start(RunRequest("acme/big", turns)).result()
        direct = await services.runs.start(RunRequest(f"acme/{served}", (question,))).result()
        assert direct.attempts[-1].served_by == "xAI", "the model that was asked goes without saying"
        assert "x-ai/grok-4 at xAI" in str(await services.audit.list())
    assert asked[0]["models"] == [served]
    messages = asked[1]["messages"]
    assert isinstance(messages, list)
    assert messages[1]["reasoning_details"] == [SIGNED]


@pytest.mark.parametrize(
    ("served", "cost", "grade"),
    [
        ("big", "0.00008", "computed"),
        ("x-ai/dear", "0.0008", "computed"),
        ("x-ai/dear-2026-08-06", "0.0008", "computed"),
        ("who/knows", None, "unknown"),
    ],
)
async def test_an_answer_by_a_model_to_fall_back_on_is_charged_by_its_own_price(
    paths: Paths, served: str, cost: str | None, grade: str
) -> None:
    """Where OpenRouter states no cost: 12 tokens in and 5 out."""
    chunks = [
        {"model": served, "choices": [{"delta": {"content": "Hi."}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 5}},
    ]
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        writer.write(body.encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1"
    ten_times = Price(input=Decimal(25), output=Decimal(100))
    async with server, open_services(paths, actor="test") as services:
        async with services.db.transaction() as tx:
            options = {"models": "x-ai/dear"}
            row = provider("acme", dialect="openrouter", endpoint=url, options=options)
            await Providers(services.db).insert(tx, row)
            rows = [model("acme", "big", PRICE), model("acme", "x-ai/dear", ten_times)]
            await Models(services.db).replace_live(tx, "acme", rows)
        request = RunRequest("acme/big", (Message("user", "Hello?"),), max_tokens=10)
        prepared = await services.estimates.prepared(request)
        result = await services.runs.start(request).result()
        [kept] = await services.db.reader.execute_fetchall("SELECT price_json FROM ledger")
    assert (result.cost, result.grade) == (None if cost is None else Decimal(cost), grade)
    assert ('"100"' in str(kept[0])) is served.startswith("x-ai/dear"), (
        "the ledger keeps the price that was used"
    )
    worst = prepared.worst(datetime.now(UTC))
    assert worst is not None
    assert worst.per_output_token == Decimal(100) / 1_000_000, "money is set aside for the dearest of them"


async def test_a_limit_keeps_back_a_run_that_a_model_of_unknown_price_may_answer(paths: Paths) -> None:
    async with open_services(paths, actor="test") as services:
        async with services.db.transaction() as tx:
            options = {"models": "x-ai/dear,who/knows"}
            row = provider(
                "acme", dialect="openrouter", endpoint="http://127.0.0.1:9/api/v1", options=options
            )
            await Providers(services.db).insert(tx, row)
            rows = [model("acme", "big", PRICE), model("acme", "x-ai/dear", PRICE)]
            await Models(services.db).replace_live(tx, "acme", rows)
        request = RunRequest("acme/big", (Message("user", "Hello?"),), max_tokens=10, retries=0)
        free = await services.runs.start(request).result()
        assert free.error is not None, "without a limit it is sent, and nobody answers"
        assert free.error.code == "network"
        await services.budgets.set("global", "daily", Decimal(1))
        with pytest.raises(UnpricedError, match="The price of acme/who/knows is unknown"):
            await services.runs.start(request).result()
        allowed = await services.runs.start(replace(request, allow_unpriced=True)).result()
        assert allowed.error is not None
        assert allowed.error.code == "network"
        priced = await services.estimates.prepared(replace(request, model="acme/x-ai/dear"))
        assert priced.unpriced == "who/knows"
