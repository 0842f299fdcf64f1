"""How fast a server says it worked: taken only from what it measured itself, never from our clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.counts import count

_MOST = 1e7
"""Tokens a second: more is no speed, but a prompt that was not read again."""

_LOADED_MS = 300
"""Less than this is looking at a model that was loaded already."""


@dataclass(frozen=True, slots=True)
class Speed:
    """What a server measured of one answer; None where it does not say."""

    load_ms: int | None = None
    """Making the model ready; next to nothing where it was loaded already."""
    prompt_tok_s: float | None = None
    """Tokens of the prompt read in a second."""
    output_tok_s: float | None = None
    """Tokens of the answer written in a second."""

    @property
    def words(self) -> str:
        """`server: 42 tok/s, loaded in 1.2 s`; empty where there is nothing to tell a person."""
        parts = (
            []
            if self.output_tok_s is None
            else [f"{self.output_tok_s:.{0 if self.output_tok_s >= 10 else 1}f} tok/s"]
        )
        if self.load_ms is not None and self.load_ms >= _LOADED_MS:
            parts.append(f"loaded in {self.load_ms / 1000:.1f} s")
        return f"server: {', '.join(parts)}" if parts else ""


def speed_of(stream: object) -> Speed | None:
    """What the server of a stream measured; None where it does not say."""
    speed = getattr(stream, "speed", None)
    return speed if isinstance(speed, Speed) else None


def ollama_speed(line: Mapping[object, object]) -> Speed | None:
    """The last line of Ollama's answer: durations in nanoseconds, left out where they are zero."""
    load = _number(line, "load_duration")
    return _speed(
        None if load is None else round(load / 1e6),
        _rate(count(line, "prompt_eval_count"), _number(line, "prompt_eval_duration"), 1e9),
        _rate(count(line, "eval_count"), _number(line, "eval_duration"), 1e9),
    )


def timed_speed(timings: Mapping[object, object]) -> Speed | None:
    """llama.cpp's `timings`: milliseconds, and rates that are used where the times are not stated."""
    return _speed(
        None,
        _rate(count(timings, "prompt_n"), _number(timings, "prompt_ms"), 1e3)
        or _bounded(_number(timings, "prompt_per_second")),
        _rate(count(timings, "predicted_n"), _number(timings, "predicted_ms"), 1e3)
        or _bounded(_number(timings, "predicted_per_second")),
    )


def seconds_speed(times: Mapping[object, object], tokens: tuple[int | None, int | None]) -> Speed | None:
    """Groq's and Cerebras's seconds, for these input and output tokens."""
    return _speed(
        None,
        _rate(tokens[0], _number(times, "prompt_time"), 1),
        _rate(tokens[1], _number(times, "completion_time"), 1),
    )


def _speed(load_ms: int | None, prompt: float | None, output: float | None) -> Speed | None:
    if load_ms is None and prompt is None and output is None:
        return None
    return Speed(load_ms, prompt, output)


def _rate(tokens: int | None, time: float | None, a_second: float) -> float | None:
    return _bounded(tokens * a_second / time) if tokens and time else None


def _bounded(rate: float | None) -> float | None:
    return round(rate, 2) if rate is not None and 0 < rate <= _MOST else None


def _number(body: Mapping[object, object], name: str) -> float | None:
    """A number above zero; None for what is none."""
    value = body.get(name)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e18:
        return float(value)
    return None
