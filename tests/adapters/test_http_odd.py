"""Answers that are none: a document, a web page or a text where a stream was asked for, in every dialect's frames."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest
from wire_replay import play

from adapters.anthropic.reader import MessageReader
from adapters.errors import Origin, OverloadedError, ProviderError
from adapters.gemini.decoder import GeminiDecoder
from adapters.gemini.reader import GeminiReader
from adapters.http_stream import Decoder, Reader
from adapters.ndjson import NDJSONDecoder
from adapters.ollama.reader import OllamaReader
from adapters.openai.reader import ChatReader
from adapters.openai.responses_reader import ResponsesReader
from adapters.sse import SSEDecoder

FORMS: dict[str, tuple[Callable[[Origin], Reader], Callable[[], Decoder]]] = {
    "chat": (ChatReader, SSEDecoder),
    "responses": (ResponsesReader, SSEDecoder),
    "anthropic": (MessageReader, SSEDecoder),
    "gemini": (GeminiReader, GeminiDecoder),
    "ollama": (OllamaReader, NDJSONDecoder),
}
ERROR = {"error": {"code": 503, "message": "The model is overloaded", "status": "UNAVAILABLE"}}


async def ending(form: str, body: bytes, size: int = 0, **headers: str) -> ProviderError | None:
    """What went wrong, whether it was raised on opening or told at the end."""
    reader, decoder = FORMS[form]
    try:
        stream, _ = await play(
            body, size=size, reader=reader(Origin("prov", "m")), decoder=decoder,
            headers={"content-type": "text/event-stream", **headers},
        )  # fmt: skip
    except ProviderError as error:
        return error
    return stream.error


@pytest.mark.parametrize("size", [0, 3])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "body",
    [json.dumps(ERROR), json.dumps(ERROR, indent=2), "\ufeff\r\n" + json.dumps(ERROR, indent=2), json.dumps([ERROR])],
    ids=["line", "lines", "mark", "list"],
)  # fmt: skip
async def test_an_error_that_comes_as_a_document_is_that_error(form: str, body: str, size: int) -> None:
    error = await ending(form, body.encode(), size)
    assert isinstance(error, OverloadedError)
    assert "The model is overloaded" in error.message


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("field", ["detail", "message", "errors"])
async def test_what_a_gateway_says_in_the_place_of_an_answer_is_told(form: str, field: str) -> None:
    told = {field: ["the tunnel is closed"] if field == "errors" else "the tunnel is closed"}
    for body in (json.dumps(told), json.dumps(told, indent=2), json.dumps(told) + "\n"):
        for size in (0, 3):
            error = await ending(form, body.encode(), size)
            assert "the tunnel is closed" in str(error)
            assert error is not None
            assert error.code != "interrupted"


@pytest.mark.parametrize("form", FORMS)
def test_lists_in_lists_without_end_are_no_crash(form: str) -> None:
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(ProviderError):
        FORMS[form][0](Origin("prov", "m")).whole(deep)


@pytest.mark.parametrize("form", ["chat", "responses", "anthropic", "gemini"])
async def test_an_error_written_bare_behind_comments_is_told(form: str) -> None:
    error = await ending(form, b": wait\n\n: wait\n\n" + json.dumps(ERROR).encode() + b"\n\n", 5)
    assert isinstance(error, OverloadedError)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"\xef\xbb\xbf \n<!doctype html><title>Please sign in</title>", "web page titled “Please sign in”"),
        (b"upstream connect error or disconnect", "upstream connect error or disconnect"),
        (b'"not you"', "not you"),
    ],
)
async def test_what_is_no_answer_is_quoted_however_it_was_cut(form: str, body: bytes, words: str) -> None:
    for size in (0, 1, 7):
        assert words in str(await ending(form, body, size))
    assert words in str(await ending(form, gzip.compress(body), **{"content-encoding": "gzip"}))


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("chat", b""), ("chat", b": wait\n\n"), ("chat", b"dat"), ("gemini", b"[{"), ("gemini", b"data: {"),
        ("ollama", b'{"message":{"con'), ("ollama", b'{"message":{"content":""},"done":false}\n'),
    ],
)  # fmt: skip
async def test_an_answer_cut_before_its_first_word_was_interrupted(form: str, body: bytes) -> None:
    error = await ending(form, body)
    assert error is not None
    assert error.code == "interrupted"
