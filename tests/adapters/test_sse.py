"""Frames out of bytes: the same whatever the cut, and no input that upsets it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.sse import Frame, FrameTooLargeError, SSEDecoder

TABLE: list[tuple[str, bytes, list[Frame]]] = [
    ("one", b"data: a\n\n", [("", b"a")]),
    ("no space after the colon", b"data:a\n\n", [("", b"a")]),
    ("only one space goes", b"data:  a\n\n", [("", b" a")]),
    ("two", b"data: a\n\ndata: b\n\n", [("", b"a"), ("", b"b")]),
    ("lines joined", b"data: a\ndata: b\n\n", [("", b"a\nb")]),
    ("an empty data line", b"data\n\n", [("", b"")]),
    ("carriage returns", b"data: a\r\rdata: b\r\r", [("", b"a"), ("", b"b")]),
    ("both", b"event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n", [("x", b"a"), ("", b"b")]),
    ("mixed", b"data: a\r\n\ndata: b\n\r\ndata: c\r\r\n", [("", b"a"), ("", b"b"), ("", b"c")]),
    ("comments", b": OPENROUTER PROCESSING\n\n:\n\ndata: a\n: b\n\n", [("", b"a")]),
    ("a name", b"event: error\ndata: {}\n\n", [("error", b"{}")]),
    ("a name lasts one frame", b"event: x\n\ndata: a\n\n", [("", b"a")]),
    ("other fields", b"id: 1\nretry: 5\nfoo: x\ndata: a\n\n", [("", b"a")]),
    ("a byte order mark", b"\xef\xbb\xbfdata: a\n\n", [("", b"a")]),
    ("not a mark in the middle", b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [("", b"a")]),
    ("separators of Unicode are text", "data: a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\n\n".encode(), [("", "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg".encode())]),
    ("an end without a blank line", b"data: a\n\ndata: b", [("", b"a"), ("", b"b")]),
    ("an end inside a line end", b"data: a\r\n\r", [("", b"a")]),
    ("llama.cpp's error line", b'error: {"code":500}\n\n', [("error", b'{"code":500}')]),
    ("nothing", b"", []),
    ("half a mark", b"\xef\xbb", []),
    ("blank lines", b"\n\n\r\n\n", []),
]  # fmt: skip


def frames(pieces: list[bytes]) -> list[Frame]:
    decoder = SSEDecoder()
    return [frame for piece in pieces for frame in decoder.feed(piece)] + decoder.end()


@pytest.mark.parametrize(("body", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_every_cut_gives_the_same(body: bytes, expected: list[Frame]) -> None:
    assert frames([body]) == expected
    assert frames([body[i : i + 1] for i in range(len(body))]) == expected
    for first in range(len(body) + 1):
        for second in range(first, len(body) + 1):
            assert frames([body[:first], body[first:second], body[second:]]) == expected


PARTS = st.sampled_from([b"data: ", b"data:", b"event: e", b":", b"\n", b"\r", b"\r\n", b"\n\n", b"{}", b"\xef\xbb\xbf", b"x" * 9, b"\xff", b"data: y\n\n", b"event: e\ndata: y\n\n"])  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PARTS | st.binary(max_size=4), max_size=14), st.lists(st.integers(0, 120), max_size=6))
@example([b"data: ", b"\r\n", b"\n"], [7])
@example([b"data: y\n\n", b"event: e\ndata: y\n\n", b"event: e\ndata: y\r\n\r\n"], [])
def test_any_bytes_any_cuts(parts: list[bytes], cuts: list[int]) -> None:
    body = b"".join(parts)
    places = sorted({0, len(body), *(c for c in cuts if c <= len(body))})
    pieces = [body[a:b] for a, b in pairwise(places)]
    whole = frames([body])
    assert frames(pieces) == frames(parts) == whole
    assert frames([body[i : i + 1] for i in range(len(body))]) == whole


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=40).filter(lambda b: b"\n" not in b and b"\r" not in b), max_size=8))
def test_what_is_written_is_read(payloads: list[bytes]) -> None:
    body = b"".join(b"data: " + payload + b"\n\n" for payload in payloads)
    assert frames([body]) == [("", payload) for payload in payloads]


@pytest.mark.parametrize("piece", [b"x" * 10, b"data: y\n", b"error: y\n", b"data: " + b"z" * 10])
def test_a_frame_that_never_ends_is_refused(piece: bytes) -> None:
    decoder = SSEDecoder(limit=1000)

    def flood() -> None:
        for _ in range(400):
            decoder.feed(piece)

    with pytest.raises(FrameTooLargeError):
        flood()


def test_a_megabyte_in_small_pieces_takes_no_long_time() -> None:
    decoder = SSEDecoder()
    for _ in range(150_000):
        assert decoder.feed(b"7 bytes") == []
    assert decoder.feed(b"\n\n") == []
