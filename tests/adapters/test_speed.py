"""How fast a server says it was: each vendor's way of saying it, and what is no speed."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import Origin
from adapters.ollama.reader import OllamaReader
from adapters.openai.reader import ChatReader
from adapters.speed import Speed, ollama_speed, seconds_speed, timed_speed

END = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
USAGE = {"prompt_tokens": 20, "completion_tokens": 100}


def chat(*chunks: Mapping[str, object]) -> Speed | None:
    reader = ChatReader(Origin("p"))
    for chunk in chunks:
        reader.frame("", json.dumps(chunk).encode())
    return reader.speed


@pytest.mark.parametrize(
    ("chunks", "speed"),
    [
        ([{**END, "timings": {"prompt_n": 20, "prompt_ms": 40.0, "predicted_n": 100, "predicted_ms": 2000.0}}], Speed(None, 500, 50)),
        ([{**END, "timings": {"prompt_per_second": 512.256, "predicted_per_second": 48.1}}], Speed(None, 512.26, 48.1)),
        ([{**END, "timings": {"prompt_n": 0, "prompt_ms": 0, "predicted_n": 1, "predicted_ms": 0.0}}], None),
        ([{**END, "x_groq": {"usage": {**USAGE, "prompt_time": 0.02, "completion_time": 0.4}}}], Speed(None, 1000, 250)),
        ([END, {"choices": [], "usage": USAGE, "time_info": {"prompt_time": 0.02, "completion_time": 0.05}}], Speed(None, 1000, 2000)),
        ([END, {"choices": [], "usage": USAGE}], None),
        ([{**END, "timings": [1], "time_info": "soon"}], None),
    ],
)  # fmt: skip
def test_what_compatible_servers_say(chunks: list[Mapping[str, object]], speed: Speed | None) -> None:
    assert chat(*chunks) == speed


def test_what_ollama_leaves_out_is_unknown() -> None:
    """A duration of zero is not sent; one of twenty minutes is a number like any other."""
    done = {
        "model": "m",
        "done": True,
        "done_reason": "stop",
        "eval_count": 6_000,
        "eval_duration": 1_200 * 10**9,
    }
    reader = OllamaReader(Origin("p"))
    reader.frame("", json.dumps(done).encode())
    assert reader.speed == Speed(None, None, 5)
    assert ollama_speed({"load_duration": 1_234_567_890}) == Speed(1_235, None, None)
    assert ollama_speed({"eval_count": 5, "eval_duration": 1}) is None, "faster than anything: not measured"


@pytest.mark.parametrize(
    ("speed", "words"),
    [
        (Speed(1_240, 900, 42.4), "server: 42 tok/s, loaded in 1.2 s"),
        (Speed(20, 900, 3.17), "server: 3.2 tok/s"),
        (Speed(90_000, None, None), "server: loaded in 90.0 s"),
        (Speed(20, 900, None), ""),
    ],
)
def test_what_a_person_reads(speed: Speed, words: str) -> None:
    assert speed.words == words


NAMES = ("load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count", "eval_duration", "prompt_n",
         "prompt_ms", "predicted_n", "predicted_ms", "prompt_per_second", "prompt_time", "completion_time")  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(NAMES), st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    )
)
def test_whatever_is_said_a_rate_is_a_rate(said: dict[object, object]) -> None:
    for speed in (ollama_speed(said), timed_speed(said), seconds_speed(said, (1, 10**11))):
        for rate in () if speed is None else (speed.prompt_tok_s, speed.output_tok_s):
            assert rate is None or 0 <= rate <= 1e7
        assert speed is None or speed.load_ms is None or speed.load_ms >= 0
