"""A model list of many pages arrives whole or not at all, however the server names its pages."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loop_server import Exchange, LoopServer, serving

from adapters.base import Connection, RemoteModel
from adapters.errors import ProviderError, UnexpectedResponseError
from adapters.fetch import Fetcher
from adapters.openai import pages
from adapters.openai.adapter import OpenAIAdapter
from adapters.openai.page_json import SMALL, read_json


async def listed(server: LoopServer, **more: Any) -> list[RemoteModel]:
    fetcher = Fetcher()
    adapter = OpenAIAdapter(Connection("mine", "openai", f"{server.url}/v1", **more), fetcher)
    try:
        return await adapter.list_models()
    finally:
        await fetcher.aclose()


def query(exchange: Exchange) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(exchange.path).query).items()}


def ids(models: list[RemoteModel]) -> list[str]:
    return [model.id for model in models]


def paged(style: str, size: int = 3, count: int = 8) -> Any:
    """A server whose pages are asked for in one of the ways that are in use."""
    names = [f"m{number}" for number in range(count)]

    async def handler(exchange: Exchange) -> None:
        asked = query(exchange)
        parameter = {
            "after": "after",
            "page_token": "page_token",
            "pageToken": "pageToken",
            "cursor": "cursor",
        }
        place = asked.get(parameter.get(style, "offset"))
        start = 0 if place is None else names.index(place) + 1 if style == "after" else int(place)
        part, more = names[start : start + size], start + size < count
        body: dict[str, object] = {"data": [{"id": name} for name in part]}
        headers: dict[str, str] = {}
        if style == "after":
            body |= {"has_more": more, "last_id": part[-1]}
        elif more:
            following = str(start + size)
            link = f"http://internal.example/somewhere?offset={following}"
            if style == "page_token":
                body["next_page_token"] = following
            elif style == "pageToken":
                body["nextPageToken"] = following
            elif style == "cursor":
                body["next_cursor"] = following
            elif style == "next":
                body["next"] = link
            elif style == "links":
                body["links"] = {"next": {"href": link}}
            else:
                headers["link"] = f'<http://x/?offset=0>; rel="first", <{link}>; rel="next"'
        await exchange.answer(200, json.dumps(body), **headers)

    return handler


@pytest.mark.parametrize("style", ["after", "page_token", "pageToken", "cursor", "next", "links", "header"])
async def test_every_way_of_paging_brings_the_whole_list_from_the_same_server(style: str) -> None:
    async with serving(paged(style)) as server:
        assert ids(await listed(server)) == [f"m{number}" for number in range(8)]
    assert len(server.requests) == 3
    assert {urlsplit(one.path).path for one in server.requests} == {"/v1/models"}


async def test_a_server_that_knows_no_pages_but_says_there_are_more_is_taken_at_its_first() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(200, {"data": [{"id": "a"}, {"id": "b"}], "has_more": True})

    async with serving(handler) as server:
        assert ids(await listed(server)) == ["a", "b"]
    assert len(server.requests) == 2


async def test_a_later_page_that_fails_fails_the_list() -> None:
    async def handler(exchange: Exchange) -> None:
        if query(exchange):
            await exchange.answer(500, {"error": {"message": "shard down"}})
        else:
            await exchange.answer(200, {"data": [{"id": "a"}], "has_more": True})

    async with serving(handler) as server:
        with pytest.raises(ProviderError) as failed:
            await listed(server)
    assert failed.value.retryable


async def test_a_list_that_leads_back_or_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    number, looping = 0, False

    async def handler(exchange: Exchange) -> None:
        nonlocal number
        number += 1
        following = "again" if looping else f"p{number}"
        await exchange.answer(200, {"data": [{"id": f"m{number}"}], "next_page_token": following})

    monkeypatch.setattr(pages, "MOST_PAGES", 5)
    for again, words, most in ((True, "leads back", 2), (False, "no end", 5)):
        looping = again
        number = 0
        async with serving(handler) as server:
            with pytest.raises(UnexpectedResponseError, match=words):
                await listed(server)
        assert len(server.requests) == most


async def test_more_models_or_bytes_than_anybody_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOST_MODELS", "MOST_BYTES"):
        monkeypatch.setattr(pages, name, 4)
        async with serving(paged("after", size=3, count=30)) as server:
            with pytest.raises(UnexpectedResponseError, match="no end"):
                await listed(server)
        assert len(server.requests) <= 2
        monkeypatch.undo()


async def test_a_large_list_is_read_in_turns_of_the_loop() -> None:
    entries = [{"id": f"m{number}", "description": "x" * 900, "created": number} for number in range(5_000)]
    body = json.dumps({"object": "list", "data": entries, "more": {"a": [1]}}).encode()
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    found = await read_json(body, "mine")
    counting.cancel()
    assert found == json.loads(body)
    assert turns > 30, "other work had its turn"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
_PADDING = "x" * (SMALL + 1)


@given(
    st.lists(_VALUES, max_size=4) | st.dictionaries(st.text(max_size=3), _VALUES, max_size=4),
    st.integers(0, 3),
)
async def test_read_piece_by_piece_is_read_as_ever(value: Any, indent: int) -> None:
    padded = [*value, _PADDING] if isinstance(value, list) else {**value, "padding": _PADDING}
    body = json.dumps(padded, indent=indent or None, ensure_ascii=False)
    assert await read_json(body.encode(), "mine") == padded


@given(st.integers(0, 40), st.sampled_from([b"", b"}", b"]", b",", b"\x00", b'"']))
async def test_a_large_answer_cut_short_or_spoilt_is_told_apart_from_a_list(cut: int, spoilt: bytes) -> None:
    body = json.dumps({"data": [{"id": _PADDING}, {"id": "b"}]}).encode()
    with pytest.raises(UnexpectedResponseError):
        await read_json(body[: len(body) - 1 - cut] + spoilt + b"{", "mine")
