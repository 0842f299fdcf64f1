"""Recorded answers of Ollama against what its SDK made of them, cut everywhere."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ollama_server import call, last, text
from recorded import SIZES, exchange, needs_recordings, of
from wire_replay import finished, play, played

from adapters.errors import Origin, ServerError, UnexpectedResponseError
from adapters.ndjson import NDJSONDecoder
from adapters.ollama.reader import OllamaReader

pytestmark = needs_recordings
NAMES = [*of("ollama-chat"), *of("ollama-generate")]
STREAMS = [name for name in NAMES if "stream-" in name and "nonstream" not in name]
USAGE = {
    "ollama-ollama-chat-nonstream-0a6d427b": (19, 104),
    "ollama-ollama-generate-stream-3d7d867c": (None, 58),
}
"""From the bodies: a count that is left out is unknown."""


def how(recorded: dict[str, Any]) -> dict[str, Any]:
    streamed = "ndjson" in recorded["response"]["headers"]["content-type"]
    return {
        "reader": OllamaReader(Origin("prov", "m")),
        "decoder": NDJSONDecoder if streamed else None,
        "headers": recorded["response"]["headers"],
    }


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NAMES)
async def test_it_is_what_the_sdk_made_of_it(name: str, size: int) -> None:
    recorded, oracle = exchange(name)
    stream, got = await play(recorded["response"]["body"].encode(), size=size, **how(recorded))
    assert ("".join(got.text), "".join(got.thinking)) == (oracle["text"], oracle["reasoning"])
    assert got.tool_calls == ()
    assert (stream.state, stream.finish_reason) == ("complete", oracle["finish"])
    assert (got.usage.input, got.usage.output) == USAGE[name]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", STREAMS)
async def test_half_of_it_is_a_beginning(name: str, size: int) -> None:
    recorded, oracle = exchange(name)
    body = recorded["response"]["body"].encode()
    stream, got = await play(body[: len(body) // 2], size=size, broken=True, **how(recorded))
    assert "".join(got.text)
    assert oracle["text"].startswith("".join(got.text))
    assert (stream.state, finished(got).finish_reason) == ("interrupted", None)


def lines(*said: object) -> bytes:
    import json

    return "".join(f"{json.dumps(one)}\n" for one in said).encode()


def ollama(body: bytes, size: int = 0) -> tuple[Any, Any]:
    reader = OllamaReader(Origin("prov", "m"))
    return played(body, size=size, reader=reader, decoder=NDJSONDecoder, headers={})


@given(
    st.lists(st.text(max_size=6), max_size=5), st.lists(st.text(max_size=6), max_size=5), st.integers(0, 16)
)
def test_any_text_arrives_as_it_was_said(thoughts: list[str], said: list[str], size: int) -> None:
    body = lines(*(text("", thinking=one) for one in thoughts), *map(text, said), last())
    stream, got = ollama(body, size)
    assert ("".join(got.thinking), "".join(got.text)) == ("".join(thoughts), "".join(said))
    assert stream.state == "complete"


@given(st.binary(max_size=200), st.integers(0, 16))
def test_anything_at_all_ends_with_a_name(junk: bytes, size: int) -> None:
    stream, _ = ollama(b'{"message":{"role":"assistant","content":"Hi"},"done":false}\n' + junk, size)
    assert stream.state in ("interrupted", "failed", "complete")


def test_an_emoji_cut_in_two_comes_whole() -> None:
    body = (
        b'{"message":{"role":"assistant","content":"a\\ud83d"},"done":false}\n'
        b'{"message":{"role":"assistant","content":"\\ude00b"},"done":false}\n' + lines(last())
    )
    assert "".join(ollama(body)[1].text) == "a\U0001f600b"


def test_two_calls_of_one_tool_are_two() -> None:
    stream, got = ollama(lines(call("f", a=1), call("f", a=2), last()))
    assert [(one.name, one.arguments) for one in got.tool_calls] == [("f", '{"a": 1}'), ("f", '{"a": 2}')]
    assert stream.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("end", "state", "reason"),
    [
        (last("length"), "complete", "length"),
        (last("load"), "complete", "stop"),
        (last("unload"), "failed", "error"),
        ({"error": "CUDA error: out of memory"}, "failed", "error"),
    ],
)
def test_how_it_ended(end: object, state: str, reason: str) -> None:
    stream, got = ollama(lines(text("Hi"), end))
    assert (stream.state, finished(got).finish_reason) == (state, reason)
    if state == "failed":
        assert isinstance(stream.error, ServerError)


def test_counts_that_are_left_out_are_unknown() -> None:
    stream, _ = ollama(lines(text("Hi"), last(counted=None)))
    assert (stream.usage.input, stream.usage.output) == (None, None)


def test_another_document_is_no_answer() -> None:
    with pytest.raises(UnexpectedResponseError):
        OllamaReader(Origin("prov", "m")).whole({"choices": []})
