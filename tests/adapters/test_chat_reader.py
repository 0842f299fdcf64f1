"""What compatible servers really send, in every shape, becomes the same events."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from collected import Collected
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_replay import cut, finished, play, played, sse

from adapters.errors import (
    ContextTooLongError,
    InvalidCredentialsError,
    ModelUnavailableError,
    OverloadedError,
    ProviderError,
    RateLimitedError,
    ServerError,
    StreamInterruptedError,
    UnexpectedResponseError,
)
from catalog.usage import Usage


def delta(value: dict[str, object], **more: object) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": value, **more}]}, ensure_ascii=False)


STOP = delta({}, finish_reason="stop")
HI = delta({"content": "Hi"})


async def heard(*rows: str, **how: object) -> Collected:
    """The events, the same at three cuts."""
    body = sse(*rows)
    _stream, got = await play(body, **how)  # type: ignore[arg-type]
    for size in (1, 7):
        _stream, again = await play(body, size=size, **how)  # type: ignore[arg-type]
        assert (again.text, again.thinking, again.usage, again.tool_calls) == (
            got.text,
            got.thinking,
            got.usage,
            got.tool_calls,
        )
        assert finished(again).state == finished(got).state
    return got


# --- how it ends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "state", "reason"),
    [
        ((HI, STOP, "[DONE]"), "complete", "stop"),
        ((HI, STOP), "complete", "stop"),  # no marker, but the vendor said why it stopped
        ((HI, "[DONE]"), "complete", "stop"),  # no reason, but the marker
        ((HI,), "interrupted", None),
        ((), "interrupted", None),
        (("[DONE]",), "interrupted", None),  # a marker alone is no answer
        ((HI, delta({}, finish_reason="length"), "[DONE]"), "complete", "length"),
        ((HI, delta({}, finish_reason="eos"), "[DONE]"), "complete", "stop"),
        ((HI, delta({}, finish_reason="model_length"), "[DONE]"), "complete", "length"),
        ((HI, delta({}, finish_reason="content_filter"), "[DONE]"), "complete", "content_filter"),
        ((HI, delta({}, finish_reason=""), "[DONE]"), "complete", "stop"),
        ((HI, delta({}, finish_reason="a_new_word"), "[DONE]"), "complete", "error"),
        ((HI, delta({}, finish_reason="error"), "[DONE]"), "failed", "error"),
        ((HI, '{"error":{"message":"x","type":"server_error"}}', "[DONE]"), "failed", "error"),
        ((HI, '{"error":"it broke"}', "[DONE]"), "failed", "error"),
        ((HI, '{"choices":[],"x_groq":{"error":"over capacity"}}', "[DONE]"), "failed", "error"),
        ((HI, '{"choices":[{"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"x"}}'), "failed", "error"),
        ((HI, '{"object":"error","message":"x","code":50000}', "[DONE]"), "failed", "error"),
        ((HI, "{broken"), "interrupted", None),  # half a frame at the end
        ((HI, "{broken", STOP, "[DONE]"), "failed", "error"),  # no JSON in the middle
    ],
)  # fmt: skip
async def test_the_end_is_named(rows: tuple[str, ...], state: str, reason: str | None) -> None:
    body = sse(*rows) if rows[-1:] != ("{broken",) else sse(*rows).rstrip()
    for size in (0, 1, 7):
        stream, got = await play(body, size=size)
        end = finished(got)
        assert (end.state, end.finish_reason) == (state, reason)
        assert (stream.state, stream.finish_reason) == (state, reason)
        assert (end.error is None) == (state == "complete")
        assert "".join(got.text) == ("Hi" if HI in rows else "")


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ('{"error":{"code":502,"message":"upstream"}}', ServerError),
        ('{"error":{"code":"429","message":"slow","type":"throttling"}}', RateLimitedError),
        ('{"error":{"message":"x","code":"context_length_exceeded"}}', ContextTooLongError),
        ('{"error":{"message":"the engine is overloaded"}}', OverloadedError),
        ('{"error":{"code":401,"message":"no"}}', InvalidCredentialsError),
    ],
)
async def test_errors_in_a_stream_have_their_class(row: str, kind: type[ProviderError]) -> None:
    _stream, got = await play(sse(HI, row))
    assert type(finished(got).error) is kind


@pytest.mark.parametrize("extra", ['"error":{"message":"x"}', '"x_groq":{"error":"x"}'])
async def test_an_error_beside_text_is_seen(extra: str) -> None:
    _stream, got = await play(
        sse(HI, HI, '{"choices":[{"delta":{"content":"!"}}],' + extra + "}", STOP, "[DONE]")
    )
    assert "".join(got.text) == "HiHi!"
    assert finished(got).state == "failed"


async def test_a_named_error_event_without_an_error_field() -> None:
    _stream, got = await play(sse(HI) + b'event: error\ndata: {"message":"worker died"}\n\n')
    assert finished(got).state == "failed"
    assert "worker died" in str(finished(got).error)
    _stream, got = await play(sse(HI) + b"event: error\ndata: worker died\n\n")
    assert "worker died" in str(finished(got).error)


async def test_a_broken_connection_after_the_reason_is_complete() -> None:
    stream, _got = await play(sse(HI, STOP), broken=True)
    assert stream.state == "complete"
    stream, got = await play(sse(HI), broken=True)
    assert isinstance(stream.error, StreamInterruptedError)
    assert finished(got).finish_reason is None


# --- what is said --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "reasoning_text"])
async def test_reasoning_fields(field: str) -> None:
    got = await heard(
        delta({"role": "assistant", "content": None, field: "h"}), delta({field: "m"}), HI, STOP
    )
    assert ("".join(got.thinking), "".join(got.text)) == ("hm", "Hi")


async def test_the_first_reasoning_field_wins() -> None:
    got = await heard(delta({"reasoning_content": "", "reasoning": "hm", "reasoning_text": "no"}), STOP)
    assert "".join(got.thinking) == "hm"


async def test_content_as_a_list() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "Hi"}, {"type": "reference", "reference_ids": [1]}, "!"]  # fmt: skip
    got = await heard(delta({"content": parts}), STOP)
    assert ("".join(got.thinking), "".join(got.text)) == ("hm", "Hi!")


async def test_a_refusal_is_shown() -> None:
    got = await heard(delta({"refusal": "I can't."}), STOP)
    assert "".join(got.text) == "I can't."


async def test_inline_think_tags_are_left_alone_unless_asked() -> None:
    rows = [delta({"content": piece}) for piece in ("<thi", "nk>h", "m</th", "ink>\n\nHi", " <think>")]
    got = await heard(*rows, STOP)
    assert "".join(got.text) == "<think>hm</think>\n\nHi <think>"
    got = await heard(*rows, STOP, think="on")
    assert ("".join(got.thinking), "".join(got.text)) == ("hm", "Hi <think>")
    got = await heard(delta({"content": "hm</"}), delta({"content": "think>Hi"}), STOP, think="implied")
    assert ("".join(got.thinking), "".join(got.text)) == ("hm", "Hi")
    got = await heard(delta({"content": "a <b"}), delta({"content": " c"}), STOP, think="on")
    assert ("".join(got.thinking), "".join(got.text)) == ("", "a <b c")
    got = await heard(delta({"reasoning": "hm"}), delta({"content": "<think>x</think>"}), STOP, think="on")
    assert ("".join(got.thinking), "".join(got.text)) == ("hm", "<think>x</think>")


@pytest.mark.parametrize("cut_at", range(1, 30))
async def test_think_tags_cut_anywhere(cut_at: int) -> None:
    text = " <think>hm </thin k</think>Hi"
    got = await heard(delta({"content": text[:cut_at]}), delta({"content": text[cut_at:]}), STOP, think="on")
    assert ("".join(got.thinking), "".join(got.text)) == ("hm </thin k", "Hi")


async def test_a_whole_answer_without_the_opening_tag() -> None:
    body = {"choices": [{"message": {"content": "hm</think>\nHi"}, "finish_reason": "stop"}]}
    _stream, got = await play(json.dumps(body).encode(), think="on")
    assert ("".join(got.thinking), "".join(got.text)) == ("hm", "Hi")


async def test_an_emoji_split_into_two_escapes() -> None:
    rows = ('{"choices":[{"delta":{"content":"a\\ud83d"}}]}', '{"choices":[{"delta":{"content":"\\ude42b"}}]}', '{"choices":[{"delta":{"content":"\\ud83d"}}]}', STOP)  # fmt: skip
    got = await heard(*rows)
    assert "".join(got.text) == "a🙂b\ufffd"


async def test_broken_utf8_is_replaced() -> None:
    body = b'data: {"choices":[{"delta":{"content":"a\xff\xfeb"}}]}\n\n' + sse(STOP)
    for size in (0, 1):
        _stream, got = await play(body, size=size)
        assert "".join(got.text) == "a\ufffd\ufffdb"


async def test_a_usual_chunk_is_read_as_it_is_written() -> None:
    """The chunks that go past the parser give what the parser would give."""
    texts = [
        " a",
        "b",
        "ż",
        '"',
        "\\",
        "\n",
        "日本",
        "",
        "🙂",
        "\x1b[31m",
        "\u2028",
        "é" * 50,
        "content",
        '"content":"x"',
        " ",
    ]
    rows = [
        json.dumps({"id": "c", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}, ensure_ascii=False, separators=(",", ":"))
        for text in texts * 3
    ]  # fmt: skip
    got = await heard(*rows, STOP)
    assert "".join(got.text) == "".join(texts * 3)


# --- tool calls ----------------------------------------------------------------------------------------------


def call(**fields: object) -> str:
    return delta({"tool_calls": [fields]})


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([call(index=0, id="a", function={"name": "f", "arguments": ""}), call(index=0, function={"arguments": '{"x"'}), call(index=0, function={"arguments": ":1}"})], [("a", "f", '{"x":1}')]),
        ([call(id="a", function={"name": "f", "arguments": '{"x"'}), call(id="a", function={"arguments": ":1}"})], [("a", "f", '{"x":1}')]),
        ([call(function={"name": "f", "arguments": '{"x"'}), call(function={"arguments": ":1}"})], [("call_0", "f", '{"x":1}')]),
        ([call(index=0, id="a", function={"name": "f", "arguments": "{"}), call(index=0, id="a", function={"name": "f", "arguments": "}"})], [("a", "f", "{}")]),
        ([call(index=0, id="a", function={"name": "f", "arguments": '{"x":1}'})], [("a", "f", '{"x":1}')]),
        ([call(index=0, id="a", function={"name": "f", "arguments": {"x": 1}})], [("a", "f", '{"x": 1}')]),
        ([call(index=0, id="a", function={"name": "f"})], [("a", "f", "{}")]),
        ([call(index=0, id="a", function={"name": "f", "arguments": "1"}), call(index=1, id="b", function={"name": "g", "arguments": "2"}), call(index=0, function={"arguments": "3"})], [("a", "f", "13"), ("b", "g", "2")]),
        ([call(index=0, id="a", function={"name": "f", "arguments": "1"}), call(index=0, id="b", function={"name": "g", "arguments": "2"}), call(index=0, function={"arguments": "3"})], [("a", "f", "1"), ("b", "g", "23")]),
        ([call(id="a", function={"name": "f", "arguments": "1"}), call(id="b", function={"name": "g", "arguments": "2"})], [("a", "f", "1"), ("b", "g", "2")]),
        ([delta({"function_call": {"name": "f", "arguments": "{"}}), delta({"function_call": {"arguments": "}"}})], [("call_0", "f", "{}")]),
        ([call(index=0, id="", function={"name": "f", "arguments": "{}"})], [("call_0", "f", "{}")]),
        ([delta({"tool_calls": [None, 5, "x", {"function": "no"}]}), call(index=0, id="a", function={"name": "f", "arguments": "{}"})], [("a", "f", "{}")]),
    ],
)  # fmt: skip
async def test_tool_calls(rows: list[str], expected: list[tuple[str, str, str]]) -> None:
    got = await heard(*rows, STOP, "[DONE]")
    assert [(c.id, c.name, c.arguments) for c in got.tool_calls if c.name] == expected
    assert finished(got).finish_reason == "tool_calls"
    assert finished(got).raw_finish_reason == "stop"


# --- usage ---------------------------------------------------------------------------------------------------

PLAIN = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"choices": [], "usage": PLAIN}, Usage(9, 4)),
        ({"choices": [{"delta": {"content": ""}}], "usage": PLAIN}, Usage(9, 4)),
        ({"choices": [{"delta": {}, "usage": PLAIN}]}, Usage(9, 4)),
        ({"choices": [], "x_groq": {"id": "q", "usage": PLAIN}}, Usage(9, 4)),
        ({"choices": [], "usage": {**PLAIN, "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2}, "completion_tokens_details": {"reasoning_tokens": 1}}}, Usage(9, 4, 3, 2, None, 1)),
        ({"choices": [], "usage": {**PLAIN, "prompt_cache_hit_tokens": 5, "prompt_cache_miss_tokens": 4}}, Usage(9, 4, 5)),
        ({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 33, "completion_tokens_details": {"reasoning_tokens": 20}}}, Usage(9, 24, reasoning=20)),
        ({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13, "completion_tokens_details": {"reasoning_tokens": 3}}}, Usage(9, 4, reasoning=3)),
        ({"choices": [], "usage": {**PLAIN, "cost": 0.00012}}, Usage(9, 4, reported_cost=Decimal("0.00012"))),
        ({"choices": [], "usage": {**PLAIN, "cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.5}}}, Usage(9, 4, reported_cost=Decimal("0.5"))),
        ({"choices": [], "usage": {**PLAIN, "cost": {"total_cost": 0.25, "currency": "USD"}}}, Usage(9, 4, reported_cost=Decimal("0.25"))),
        ({"choices": [], "usage": {**PLAIN, "cost_in_usd_ticks": 37756000}}, Usage(9, 4, reported_cost=Decimal("0.0037756"))),
        ({"choices": [], "usage": {"prompt_tokens": -1, "completion_tokens": True, "cost": "nan"}}, Usage()),
        ({"choices": [], "usage": {"prompt_tokens": 9.0, "completion_tokens": None}}, Usage(9)),
        ({"choices": [], "usage": "none"}, Usage()),
        ({"choices": [], "usage": None}, Usage()),
    ],
)  # fmt: skip
async def test_usage(row: dict[str, object], expected: Usage) -> None:
    got = await heard(HI, STOP, json.dumps(row), "[DONE]")
    assert got.usage == expected


async def test_usage_is_cumulative() -> None:
    got = await heard(json.dumps({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 2}}}), HI, STOP, json.dumps({"choices": [], "usage": PLAIN}))  # fmt: skip
    assert got.usage == Usage(9, 4, 2)


# --- bodies that are no stream -------------------------------------------------------------------------------

WHOLE = {"model": "m1", "choices": [{"message": {"content": "Hi", "reasoning": "hm", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": {"x": 1}}}]}, "finish_reason": "stop"}], "usage": PLAIN}  # fmt: skip


@pytest.mark.parametrize(
    "headers", [{"content-type": "text/event-stream"}, {"content-type": "application/json"}, {}]
)
@pytest.mark.parametrize("before", [b"", b"\n\n  \n", b"\xef\xbb\xbf"])
async def test_a_whole_answer_where_a_stream_was_asked(headers: dict[str, str], before: bytes) -> None:
    for size in (0, 1, 5):
        stream, got = await play(before + json.dumps(WHOLE).encode(), size=size, headers=headers)
        assert ("".join(got.thinking), "".join(got.text)) == ("hm", "Hi")
        assert got.tool_calls[0].arguments == '{"x": 1}'
        assert got.usage == Usage(9, 4)
        assert (stream.state, stream.finish_reason, stream.served_model) == ("complete", "tool_calls", "m1")


async def test_a_stream_with_the_wrong_label_or_none() -> None:
    for headers in ({"content-type": "application/json"}, {"content-type": "text/plain"}, {}):
        stream, got = await play(b"\n: ping\n\n" + sse(HI, STOP, "[DONE]"), size=1, headers=headers)
        assert ("".join(got.text), stream.state) == ("Hi", "complete")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"error":{"message":"The model x does not exist","code":"model_not_found"}}', ModelUnavailableError),
        (b'{"error":{"message":"no","code":401}}', InvalidCredentialsError),
        (b'[{"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}]', OverloadedError),
        (b"<html><head><title>Sign in</title></head></html>", UnexpectedResponseError),
        (b'{"hello":"world"}', UnexpectedResponseError),
        (b'{"choices":[]}', UnexpectedResponseError),
        (b'{"choices":[{"message":{"content":"Hi"', UnexpectedResponseError),
        (b"[[[[[[[[[[" * 20_000, UnexpectedResponseError),
    ],
)  # fmt: skip
async def test_other_bodies_are_refused_on_entering(body: bytes, kind: type[ProviderError]) -> None:
    for headers in ({"content-type": "text/event-stream"}, {}):
        with pytest.raises(kind) as caught:
            await play(body, headers=headers)
        assert type(caught.value) is kind
        assert len(caught.value.message) < 500


async def test_the_gateways_cost_header() -> None:
    _stream, got = await play(json.dumps(WHOLE).encode(), headers={"x-litellm-response-cost": "0.000125"})
    assert got.usage.reported_cost == Decimal("0.000125")


# --- anything ------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["choices", "delta", "content", "tool_calls", "function", "index", "id", "name", "arguments", "usage", "error", "finish_reason", "x_groq", "message", "type", "thinking", "text", "code", "prompt_tokens", "model", "reasoning"]), inner, max_size=5),
    max_leaves=14,
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(st.lists(JSON, max_size=4), st.integers(0, 40))
def test_no_json_upsets_it(values: list[object], size: int) -> None:
    body = sse(HI, *(json.dumps(value) for value in values), STOP, "[DONE]")
    stream, got = played(body, size=size)
    assert finished(got).state == stream.state
    assert all(c < "\ud800" or c > "\udfff" for c in "".join(got.text))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 9), st.booleans())
def test_no_bytes_upset_it(garbage: bytes, size: int, broken: bool) -> None:
    for body in (garbage, sse(HI) + garbage + sse(STOP)):
        try:
            stream, got = played(body, size=size, broken=broken)
        except ProviderError:
            continue
        assert finished(got).state == stream.state != "open"


TEXTS = st.text(max_size=6) | st.sampled_from(
    [" word", '"', "\\", '"content":"', '"},"x":{"content":"', "\n", "\u2028", "a\x00b"]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, st.booleans()), min_size=1, max_size=12), st.booleans())
def test_past_the_parser_is_the_same_as_through_it(
    chunks: list[tuple[str, str, bool]], ascii_only: bool
) -> None:
    """Whatever stands before and after the text, in whatever spelling: the text is what a JSON parser says."""
    rows = []
    for text, other, spaced in chunks:
        value = {
            "note": {"content": other} if spaced else other,
            "choices": [{"delta": {"content": text}}],
            "pad": other,
        }
        rows.append(
            json.dumps(value, ensure_ascii=ascii_only, separators=(", ", ": ") if spaced else (",", ":"))
        )
    _stream, got = played(sse(*rows, STOP))
    assert "".join(got.text) == "".join(text for text, _other, _spaced in chunks)


async def test_another_content_field_is_not_taken_for_the_text() -> None:
    row = '{"note":{"content":"%s"},"choices":[{"delta":{"content": "%s"}}]}'
    got = await heard(*(row % pair for pair in (("x", "x"), ("Hi", "Hi"), ("Yo", "Hi"), ("Hi", "Yo"))), STOP)
    assert got.text == ["x", "Hi", "Hi", "Yo"]


def test_cut_helper() -> None:
    assert cut(b"abc", 2) == [b"ab", b"c"]
