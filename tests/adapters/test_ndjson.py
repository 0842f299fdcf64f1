"""Lines of JSON: however they are cut, ended and spoilt, the same frames come out, and never too much is held."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.ndjson import NDJSONDecoder
from adapters.sse import FrameTooLargeError

documents = st.lists(
    st.dictionaries(st.text(max_size=4), st.text(max_size=12) | st.integers(), max_size=3), max_size=6
)


def decoded(pieces: list[bytes], limit: int = 1 << 20) -> list[bytes]:
    decoder = NDJSONDecoder(limit)
    frames = [frame for piece in pieces for frame in decoder.feed(piece)]
    return [data for _, data in [*frames, *decoder.end()]]


@given(documents, st.data(), st.sampled_from(["\n", "\r\n", "\n\n", " \n"]), st.booleans(), st.booleans())
def test_any_cut_gives_the_same_lines(
    said: list[object], data: st.DataObject, end: str, last: bool, bom: bool
) -> None:
    lines = [json.dumps(one, ensure_ascii=False) for one in said]
    body = ("\ufeff" if bom and lines else "") + end.join(lines) + (end if last else "")
    raw = body.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert [json.loads(line) for line in decoded(pieces)] == said


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r"])
def test_only_a_line_feed_ends_a_line(odd: str) -> None:
    line = f'{{"a":"x{odd}y"}}'.encode()
    assert decoded([line + b"\n"]) == [line]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_line_without_end_is_given_up(size: int) -> None:
    with pytest.raises(FrameTooLargeError):
        decoded([b"x" * size] * (2_000 // size), limit=1_000)
    with pytest.raises(FrameTooLargeError):
        decoded([b"x" * 1_500 + b"\n{}"], limit=1_000)


def test_many_whole_lines_are_never_too_much() -> None:
    assert len(decoded([b'{"a":1}\n' * 10_000], limit=1_000)) == 10_000
