"""The parts of the `gemini` dialect: addresses, bodies, decoders that take any bytes, odd answers, and keys that stay secret."""

from __future__ import annotations

import contextlib
import json
import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loop_server import Exchange, serving
from pydantic import SecretStr
from wire_replay import cut, finished, play, played

from adapters.base import Connection
from adapters.errors import (
    InvalidCredentialsError,
    NoCreditError,
    Origin,
    OverloadedError,
    ProviderError,
    UnexpectedResponseError,
)
from adapters.events import ChatRequest, Image, Keepsake, Message, TextDelta, ToolCall, ToolSpec
from adapters.fetch import Fetcher
from adapters.gemini import GeminiAdapter
from adapters.gemini.decoder import GeminiDecoder
from adapters.gemini.endpoint import called, endpoint
from adapters.gemini.models import read_page
from adapters.gemini.reader import GeminiReader
from adapters.gemini.request import UNSIGNED, Habits, body, repaired, thinks
from adapters.gemini.schema import cleaned
from adapters.gemini.usage import read_usage
from adapters.json_array import JSONArrayDecoder
from adapters.sse import FrameTooLargeError
from catalog.usage import Usage

KEY = "AIzaSyCanary-9fT2qLx7Vw0Kd3Hm5Rb8Zp1Nc6"


def answer(*parts: object, finish: str | None = None, **more: object) -> dict[str, Any]:
    candidate = {"content": {"parts": list(parts)}, **({"finishReason": finish} if finish else {})}
    return {"candidates": [candidate], **more}


def events(*chunks: object) -> bytes:
    return "".join(f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks).encode()


async def ask(raw: bytes, size: int = 0, **how: Any) -> Any:
    reader = GeminiReader(Origin("prov", "m"))
    return (await play(raw, size=size, reader=reader, decoder=GeminiDecoder, **how))[1]


# --- addresses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "root"),
    [
        ("https://generativelanguage.googleapis.com", "https://generativelanguage.googleapis.com/v1beta"),
        ("https://generativelanguage.googleapis.com/", "https://generativelanguage.googleapis.com/v1beta"),
        ("https://generativelanguage.googleapis.com/v1beta", "https://generativelanguage.googleapis.com/v1beta"),
        ("https://generativelanguage.googleapis.com/v1/", "https://generativelanguage.googleapis.com/v1"),
        ("https://g.example/v1beta/openai/", "https://g.example/v1beta"),
        ("https://g.example/v1beta/models", "https://g.example/v1beta"),
        ("https://g.example/v1/models/gemini-x:generateContent?key=AIza", "https://g.example/v1"),
        ("http://127.0.0.1:8080//proxy//gemini", "http://127.0.0.1:8080/proxy/gemini/v1beta"),
    ],
)  # fmt: skip
def test_a_version_is_neither_missing_nor_doubled(base: str, root: str) -> None:
    assert endpoint(base, "models") == f"{root}/models"
    assert endpoint(endpoint(base, "models"), "models") == f"{root}/models"


def test_models_are_called_with_and_without_their_folder() -> None:
    assert called("gemini-2.5-pro", "generateContent") == "models/gemini-2.5-pro:generateContent"
    assert called("models/gemini-2.5-pro", "countTokens") == "models/gemini-2.5-pro:countTokens"
    assert called("tunedModels/mine", "generateContent") == "tunedModels/mine:generateContent"
    assert called("a?key=1#x", "generateContent") == "models/a%3Fkey%3D1%23x:generateContent"


# --- requests ------------------------------------------------------------------------------------------------


def test_a_whole_request() -> None:
    request = ChatRequest(
        "gemini-2.5-flash",
        (
            Message("system", "Be kind."),
            Message("user", "see", images=(Image("image/png", b"x"),)),
            Message(
                "assistant", "", tool_calls=(ToolCall("a1", "f", '{"x": 1}'), ToolCall("b2", "g", "oops"))
            ),
            Message("tool", '{"ok": true}', tool_call_id="a1"),
            Message("tool", "no such city", tool_call_id="b2", is_error=True),
            Message("user", "and now?"),
        ),
        system="Be brief.",
        max_tokens=9,
        temperature=0.5,
        top_p=0.25,
        stop=("END",),
        seed=7,
        reasoning_effort="low",
        tools=(ToolSpec("f", "does f", {"type": "object", "properties": {"x": {"type": "integer"}}}),),
        tool_choice="f",
        json_schema={"type": "object"},
    )
    sent = body(request, Habits(safety="BLOCK_NONE"))
    assert sent["systemInstruction"] == {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]}
    assert sent["contents"] == [
        {
            "role": "user",
            "parts": [{"text": "see"}, {"inlineData": {"mimeType": "image/png", "data": "eA=="}}],
        },
        {
            "role": "model",
            "parts": [
                {"functionCall": {"id": "a1", "name": "f", "args": {"x": 1}}},
                {"functionCall": {"id": "b2", "name": "g", "args": {"arguments": "oops"}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "a1", "name": "f", "response": {"ok": True}}},
                {"functionResponse": {"id": "b2", "name": "g", "response": {"error": "no such city"}}},
            ],
        },
        {"role": "user", "parts": [{"text": "and now?"}]},
    ]
    assert sent["generationConfig"] == {
        "maxOutputTokens": 9,
        "temperature": 0.5,
        "topP": 0.25,
        "stopSequences": ["END"],
        "seed": 7,
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 1024},
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object"},
    }
    [tools] = sent["tools"]  # type: ignore[misc]
    [declared] = tools["functionDeclarations"]
    assert declared["parametersJsonSchema"]["properties"] == {"x": {"type": "integer"}}
    assert sent["toolConfig"] == {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}}
    assert len(sent["safetySettings"]) == 4  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "effort", "config"),
    [
        ("gemini-2.0-flash", None, None),
        ("gemma-3-27b-it", None, None),
        ("gemini-2.5-flash-image", None, None),
        ("gemini-2.5-flash", None, {"includeThoughts": True}),
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "max", {"includeThoughts": True, "thinkingBudget": 24_576}),
        ("models/gemini-3.8-flash", "high", {"includeThoughts": True, "thinkingLevel": "high"}),
        ("gemini-4-argon", "none", {"thinkingLevel": "minimal"}),
        ("gemini-flash-latest", "xhigh", {"includeThoughts": True, "thinkingLevel": "xhigh"}),
        ("gemini-3-pro", "max", {"includeThoughts": True, "thinkingLevel": "xhigh"}),
    ],
)
def test_thinking_is_asked_for_in_the_models_own_way(model: str, effort: str | None, config: object) -> None:
    sent = body(ChatRequest(model, (Message("user", "x"),), reasoning_effort=effort), Habits())
    assert sent.get("generationConfig", {}).get("thinkingConfig") == config  # type: ignore[attr-defined]
    assert thinks("gemini-3-pro") and not thinks("gemini-1.5-pro")  # noqa: PT018


def test_calls_of_other_vendors_are_marked_for_the_newer_models() -> None:
    turns = (
        Message("user", "x"),
        Message("assistant", "", tool_calls=(ToolCall("switchroom-1", "f", "{}"),)),
        Message("tool", "sleet", tool_call_id="switchroom-1"),
    )
    [_, call, result] = body(ChatRequest("gemini-3-pro", turns), Habits())["contents"]  # type: ignore[misc]
    assert call["parts"] == [{"functionCall": {"name": "f", "args": {}}, "thoughtSignature": UNSIGNED}]
    assert result["parts"] == [{"functionResponse": {"name": "f", "response": {"output": "sleet"}}}]


@pytest.mark.parametrize("content", ["", "{", "[]", "[1]", '{"a": 1}', "null", "[" * 5000])
def test_a_damaged_keepsake_is_not_used(content: str) -> None:
    turn = Message("assistant", "yes", keepsake=Keepsake("gemini", "m", content))
    sent = body(ChatRequest("m", (Message("user", "x"), turn)), Habits())
    assert sent["contents"][1] == {"role": "model", "parts": [{"text": "yes"}]}  # type: ignore[index]


def test_a_schema_in_the_older_form() -> None:
    schema = {
        "$defs": {"Tree": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Tree"}}}},
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "tree": {"$ref": "#/$defs/Tree", "description": "a tree"},
            "kind": {"const": "a"},
            "age": {"type": ["integer", "null"], "minimum": 0},
            "either": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "list": {"type": "array", "items": {"type": "string", "default": "x"}},
        },
        "required": ["tree"],
    }
    assert cleaned(schema) == {
        "type": "OBJECT",
        "required": ["tree"],
        "properties": {
            "tree": {"type": "OBJECT", "properties": {"next": {"type": "OBJECT"}}, "description": "a tree"},
            "kind": {"enum": ["a"]},
            "age": {"type": "INTEGER", "nullable": True, "minimum": 0},
            "either": {"nullable": True, "anyOf": [{"type": "STRING"}]},
            "list": {"type": "ARRAY", "items": {"type": "STRING"}},
        },
    }


# --- answers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 5])
@pytest.mark.parametrize(
    "bare",
    [
        '[{"error":{"code":503,"message":"busy } {","status":"UNAVAILABLE"}}]',
        '{\r\n  "error": {\r\n    "code": 503,\r\n    "message": "busy",\r\n    "status": "UNAVAILABLE"\r\n  }\r\n}',
        '[{\n  "error": {\n    "code": 503,\n    "message": "busy"\n  }\n}\n]\n',
        'data: {"error":{"code":503,"message":"busy"}}\n\n',
    ],
)
async def test_an_error_may_stand_bare_between_the_events(bare: str, size: int) -> None:
    text = events(answer({"text": "Hello"}))
    for before in (text, text.removesuffix(b"\r\n")):  # the second: its blank line is missing
        got = await ask(before + bare.encode(), size)
        if before is text or not bare.startswith("data:"):
            assert "".join(got.text) == "Hello"
            assert finished(got).state == "failed"
            assert isinstance(finished(got).error, OverloadedError)


@pytest.mark.parametrize("wrap", ["%s", "[%s]", "[%s,"])
async def test_an_error_may_be_all_there_is(wrap: str) -> None:
    error = json.dumps({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}})
    try:
        got = await ask((wrap % error).encode())
        raised = finished(got).error
    except ProviderError as error_raised:
        raised = error_raised
    assert isinstance(raised, OverloadedError)


@pytest.mark.parametrize(
    ("word", "state", "reason"),
    [
        ("STOP", "complete", "stop"),
        ("MAX_TOKENS", "complete", "length"),
        ("SAFETY", "complete", "content_filter"),
        ("PROHIBITED_CONTENT", "complete", "content_filter"),
        ("IMAGE_SAFETY", "complete", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "failed", "error"),
        ("MISSING_THOUGHT_SIGNATURE", "failed", "error"),
        ("OTHER", "failed", "error"),
        ("SOMETHING_NEW", "failed", "error"),
    ],
)
async def test_words_for_why_it_ended(word: str, state: str, reason: str) -> None:
    raw = answer({"text": "x"}, finish=word)
    raw["candidates"][0]["finishMessage"] = "a longer sentence"
    got = await ask(events(raw))
    assert (finished(got).state, finished(got).finish_reason) == (state, reason)
    assert finished(got).raw_finish_reason == word
    if state == "failed":
        assert word in str(finished(got).error)
        assert "a longer sentence" in str(finished(got).error)


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_prompt_that_the_filter_stops(streamed: bool) -> None:
    verdict = {
        "promptFeedback": {"blockReason": "SAFETY"},
        "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9},
    }
    got = await ask(events(verdict) if streamed else json.dumps(verdict).encode())
    assert (finished(got).state, finished(got).finish_reason) == ("complete", "content_filter")
    assert finished(got).raw_finish_reason == "SAFETY"
    assert (got.usage.input, got.usage.output) == (9, 0)


async def test_an_end_without_a_reason_is_no_end() -> None:
    for raw in (events(answer({"text": "Hi"})), b'[{"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}]'):
        got = await ask(raw)
        assert "".join(got.text) == "Hi"
        assert finished(got).state == "interrupted"


@pytest.mark.parametrize("raw", [b"{}", b'{"candidates": []}', b"<html>x</html>"])
async def test_what_is_no_answer_says_so(raw: bytes) -> None:
    with pytest.raises(UnexpectedResponseError):
        await ask(raw)


@pytest.mark.parametrize(("raw", "state"), [(b'"hello"', "failed"), (b"[]", "interrupted")])
async def test_a_stream_of_nothing_is_no_answer(raw: bytes, state: str) -> None:
    assert finished(await ask(raw)).state == state


async def test_calls_get_an_id_and_keep_the_one_they_have() -> None:
    parts = (
        {"functionCall": {"name": "f", "args": {"a": 1}}},
        {"functionCall": {"id": "v1", "name": "g"}},
    )
    got = await ask(events(answer(*parts, finish="STOP")))
    first, second = got.tool_calls
    assert first.id.startswith("switchroom-")
    assert (second.id, second.name, second.arguments) == ("v1", "g", "{}")
    assert finished(got).finish_reason == "tool_calls"


async def test_signatures_stay_on_their_parts() -> None:
    stream = events(
        answer({"text": "thinking", "thought": True}),
        answer({"text": "Hel"}),
        answer({"text": "lo"}),
        answer({"text": "", "thoughtSignature": "s1"}),
        answer({"functionCall": {"name": "f"}, "thoughtSignature": "s2"}, finish="STOP"),
    )
    got = await ask(stream)
    assert json.loads(got.keepsake.content) == [
        {"text": "Hello"},
        {"text": "", "thoughtSignature": "s1"},
        {"functionCall": {"name": "f"}, "thoughtSignature": "s2"},
    ]

    def said(text: str, calls: tuple[ToolCall, ...], model: str = "m") -> object:
        turns = (Message("user", "x"), Message("assistant", text, tool_calls=calls, keepsake=got.keepsake))
        return body(ChatRequest(model, turns), Habits())["contents"][1]["parts"]  # type: ignore[index]

    call = ToolCall("switchroom-1", "f", "{}")
    assert said("Hello", (call,)) == json.loads(got.keepsake.content)
    assert said("Goodbye", (call,)) == [{"text": "Goodbye"}, {"functionCall": {"name": "f", "args": {}}}]
    assert said("Hello", ()) == [{"text": "Hello"}], "a call that has no result"
    assert said("Hello", (call,), "gemini-3-pro")[1]["thoughtSignature"] == UNSIGNED  # type: ignore[index]


def test_the_deepest_thought_is_asked_for_in_the_words_a_model_knows() -> None:
    request, habits = ChatRequest("gemini-3-pro", (Message("user", "x"),), reasoning_effort="max"), Habits()
    sent = body(request, habits)
    better = repaired(habits, sent, "Thinking level XHIGH is not supported for this model.", asked=True)
    assert better == Habits(xhigh=False)
    sent = body(request, better)
    assert sent["generationConfig"]["thinkingConfig"]["thinkingLevel"] == "high"  # type: ignore[index]
    assert repaired(better, sent, "Thinking level is not supported for this model.", asked=True) is None


async def test_the_last_count_wins_and_none_is_made_up() -> None:
    counts = (
        {"promptTokenCount": 9, "totalTokenCount": 9},
        {"promptTokenCount": 9, "candidatesTokenCount": 4},
    )
    chunks = [answer({"text": "a"}, usageMetadata=one, modelVersion="m-1") for one in counts]
    got = await ask(events(*chunks, answer({"text": "b"}, finish="STOP")))
    assert (got.usage.input, got.usage.output) == (9, 4)
    assert read_usage({"promptTokenCount": 9, "totalTokenCount": 9}).output is None
    assert read_usage({"promptTokenCount": True, "candidatesTokenCount": -1}) == Usage()
    heard = {
        "promptTokenCount": 50,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 10}, {"modality": "AUDIO", "tokenCount": 40}],
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 15}],
        "cachedContentTokenCount": 15,
    }  # fmt: skip
    assert (read_usage(heard).audio_input, read_usage(heard).cache_read) == (25, 15)


# --- any bytes -----------------------------------------------------------------------------------------------


@given(
    st.lists(st.dictionaries(st.text(max_size=6), st.text(max_size=12), max_size=3), max_size=5),
    st.integers(1, 9),
)
@settings(max_examples=60, deadline=None)
def test_an_array_cut_anywhere_gives_its_objects(rows: list[dict[str, str]], size: int) -> None:
    raw = json.dumps(rows, indent=1, ensure_ascii=False).encode()
    decoder = JSONArrayDecoder()
    frames = [data for piece in cut(raw, size) for _, data in decoder.feed(piece)]
    assert [json.loads(data) for data in frames] == rows
    assert decoder.end() == []


ODD = st.one_of(
    st.binary(max_size=60),
    st.lists(
        st.sampled_from([b"data: ", b"\r\n", b"\n", b"{", b"}", b"[", b"]", b'"', b"\\", b",", b'{"error":1}', b'"candidates":',
                         b'data: {"candidates":[{"content":{"parts":[{"text":"hi"}]}}]}\r\n\r\n', b"\xff", b"\xed\xa0\x80", b"event: error\n"]),
        max_size=14,
    ).map(b"".join),
)  # fmt: skip


@given(ODD, st.integers(1, 7))
@settings(max_examples=200, deadline=None)
def test_any_bytes_cut_anywhere_end_in_a_named_state(raw: bytes, size: int) -> None:
    for body_bytes in (raw, b"data: " + raw, b"[" + raw, b'data: {"candidates":[]}\n\n' + raw):
        try:
            _stream, got = played(
                body_bytes, size=size, reader=GeminiReader(Origin("prov", "m")), decoder=GeminiDecoder
            )
        except ProviderError:
            continue
        assert finished(got).state in ("complete", "interrupted", "failed")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["candidates", "content", "parts", "text", "thought", "functionCall", "args", "name", "id",
                             "finishReason", "promptFeedback", "blockReason", "usageMetadata", "promptTokenCount", "error", "thoughtSignature"]),
            inner, max_size=4,
        ),
        max_leaves=14,
    )
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_any_json_is_no_crash(value: object) -> None:
    reader = GeminiReader(Origin("prov", "m"))
    try:
        reader.frame("", json.dumps(value).encode())
        reader.frame("", json.dumps({"candidates": [value]}).encode())
        reader.close()
        GeminiReader(Origin("prov", "m")).whole(value)
    except ProviderError:
        pass
    with contextlib.suppress(ValueError):
        read_page(value)


def test_no_object_grows_for_ever() -> None:
    decoder = JSONArrayDecoder(limit=1000)
    decoder.feed(b"junk" * 1000)
    decoder.feed(b'[{"a":"' + b"x" * 900)
    with pytest.raises(FrameTooLargeError):
        decoder.feed(b"x" * 200)


async def test_half_an_emoji_waits_for_its_other_half() -> None:
    rows = b"".join(
        b'data: {"modelVersion":"v","candidates":[{"content":{"parts":[{"text":"%s"}]}}]}\n\n' % half
        for half in (b"a", b"\\ud83d", b"\\ude00!", b"b")
    )
    got = await ask(rows + events(answer(finish="STOP")))
    assert "".join(got.text) == "a😀!b"


def test_the_usual_chunk_is_one_event_and_counted_when_somebody_asks() -> None:
    def row(text: str, count: object) -> bytes:
        usage = {"promptTokenCount": 9, "candidatesTokenCount": count}
        return json.dumps(answer({"text": text}, modelVersion="v", usageMetadata=usage)).encode()

    reader = GeminiReader(Origin("prov", "m"))
    assert len(reader.frame("", row("Hi", 1))) == 2
    for number, word in enumerate(["a", "b", "Kraków", "d"], 2):
        assert reader.frame("", row(word, number * 100)) == (TextDelta(word),)
    assert (reader.usage.input, reader.usage.output) == (9, 500)
    assert reader.frame("", row("x", 7).replace(b"7}", b"}"))  # digits are not looked at
    assert reader.usage.output is not None
    for odd in ('a "quote"', "two\nlines", "back\\slash", "half \ud83d"):
        got = reader.frame("", row(odd, 1))
        assert "".join(e.text for e in got if isinstance(e, TextDelta)) == odd.replace("\ud83d", "")
    blocked = answer({"text": "y"}, finish="SAFETY", modelVersion="v")
    reader.frame("", json.dumps(blocked).encode())
    assert reader.finish_reason == "content_filter"


# --- a server ------------------------------------------------------------------------------------------------


def adapter(url: str, **options: str) -> GeminiAdapter:
    return GeminiAdapter(Connection("prov", "gemini", url, key=SecretStr(KEY), options=options), Fetcher())


async def test_the_whole_key_echoed_by_an_error_is_seen_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    async def echo(exchange: Exchange) -> None:
        details = [
            {"@type": "type.googleapis.com/google.rpc.DebugInfo", "detail": f"key={KEY}", "stackEntries": [KEY]},
            {"reason": "API_KEY_INVALID"},
        ]  # fmt: skip
        error = {
            "code": 400,
            "message": "API key not valid.",
            "status": "INVALID_ARGUMENT",
            "details": details,
        }
        await exchange.answer(400, {"error": error})

    caplog.set_level(logging.DEBUG)
    async with serving(echo) as server:
        made = adapter(server.url)
        verdict = await made.validate()
        with pytest.raises(InvalidCredentialsError) as caught:
            async with made.stream(ChatRequest("m", (Message("user", "x"),))):
                pytest.fail("it was refused")
        await made.aclose()
    assert verdict.state == "invalid_key"
    error = caught.value
    assert error.said is not None
    everything = f"{verdict!r} {error!r} {error.message} {error.hint} {error.said.message} {error.said!r} {caplog.text} {server.paths()}"
    assert KEY not in everything


async def test_pages_are_followed_and_never_for_ever() -> None:
    async def pages(exchange: Exchange) -> None:
        number = len(server.requests)
        entry = {
            "name": f"models/m{number}",
            "supportedGenerationMethods": ["embedContent"],
            "thinking": True,
        }
        await exchange.answer(
            200,
            {"models": [entry, 7, {"name": ""}], "nextPageToken": "again" if number > 3 else f"p{number}"},
        )

    async with serving(pages) as server:
        made = adapter(server.url)
        with pytest.raises(UnexpectedResponseError, match="no end"):
            await made.list_models()
        assert (await made.validate()).ok
        assert server.paths()[-1] == "GET /v1beta/models?pageSize=1"
        assert server.paths()[1] == "GET /v1beta/models?pageSize=1000&pageToken=p1"
        await made.aclose()
    [model], token = read_page(
        {"models": [{"name": "models/m", "supportedGenerationMethods": ["embedContent"]}]}
    )
    assert (model.id, model.chat, model.capabilities, token) == ("m", False, ("embeddings",), None)
    assert read_page({}) == ([], None)


async def test_a_server_that_does_not_know_a_newer_field_is_asked_in_the_older_way() -> None:
    async def old(exchange: Exchange) -> None:
        text = exchange.body.decode()
        if "JsonSchema" in text:
            message = "Invalid JSON payload received. Unknown name \"parametersJsonSchema\" at 'tools[0]': Cannot find field."
        elif "thinkingConfig" in text:
            message = "Thinking is not enabled for this model."
        else:
            await exchange.answer(200, answer({"text": "Hi"}, finish="STOP"))
            return
        await exchange.answer(400, {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}})

    tools = (ToolSpec("f", "f", {"type": "object", "properties": {"x": {"type": "string"}}}),)
    request = ChatRequest("gemini-2.5-flash", (Message("user", "x"),), tools=tools, stream=False)
    async with serving(old) as server:
        made = adapter(server.url)
        for _ in range(2):
            async with made.stream(request) as stream:
                assert [event async for event in stream]
        assert len(server.requests) == 4, "what was learned is kept"
        assert b'"parameters":{"type":"OBJECT"' in server.requests[-1].body
        await made.aclose()


async def test_a_quota_of_a_day_is_final() -> None:
    violations = [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "50"}]
    details = [{"violations": violations}, {"retryDelay": "36s"}]
    error = {"error": {"code": 429, "message": "x", "status": "RESOURCE_EXHAUSTED", "details": details}}
    with pytest.raises(NoCreditError) as caught:
        await ask(json.dumps([error]).encode(), status=429)
    assert not caught.value.retryable
    assert "quota of the day" in caught.value.message
    violations[0] |= {"quotaId": "GenerateContentTokensPerModelPerMinute", "quotaValue": "0"}
    with pytest.raises(NoCreditError, match="no quota on this plan"):
        await ask(json.dumps([error]).encode(), status=429)
