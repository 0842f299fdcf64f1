"""Chunks that are padded to hide how long a word is: the short way reads them as the parser does, and is taken."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.errors import Origin
from adapters.events import TextDelta
from adapters.openai.reader import ChatReader
from adapters.openai.template import Template

SAFE = {"hate": {"filtered": False, "severity": "safe"}}
WORDS = st.text(max_size=8) | st.sampled_from(['","obfuscation":"', '"', "\\", '\\"', "ż", "\u2028", "\x00"])


def chunk(word: str, padding: str, safe: object = SAFE) -> bytes:
    """As Azure writes it."""
    choice = {"content_filter_results": safe, "delta": {"content": word}, "finish_reason": None, "index": 0}
    whole = {"choices": [choice], "id": "c", "model": "m", "obfuscation": padding, "usage": None}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def read(chunks: list[bytes]) -> str:
    reader = ChatReader(Origin("p"))
    events = [event for one in chunks for event in reader.frame("", one)]
    return "".join(event.text for event in (*events, *reader.close()) if isinstance(event, TextDelta))


@given(st.lists(st.tuples(WORDS, WORDS), max_size=8))
@example([("a", "x"), ("b", 'y","usage":"'), ("c", "\\"), ('d","x":"', "z"), ("", "q"), ("e", "")])
def test_whatever_word_and_padding_are(pairs: list[tuple[str, str]]) -> None:
    told = [(json.loads(json.dumps(word)), padding) for word, padding in pairs]
    assert read([chunk("start", "p"), *(chunk(*pair) for pair in told)]) == "start" + "".join(
        w for w, _ in told
    )


@pytest.mark.parametrize(
    "other",
    [
        b'{"choices":[{"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},"delta":{"content":"no"},"finish_reason":"length","index":0}],"id":"c","model":"m","obfuscation":"x","usage":null}',
        b'{"choices":[{"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},"delta":{"content":"no"},"finish_reason":null,"index":0}],"id":"c","model":"m","obfuscation":"x","error":{"message":"y"},"usage":null}',
        b'{"choices":[{"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},"delta":{"content":"no"},"finish_reason":null,"index":0}],"id":"c","model":"m","obfuscation":"x","usage":null',
    ],
)
def test_what_only_begins_alike_goes_to_the_parser(other: bytes) -> None:
    template = Template()
    template.learn(chunk("one", "abc"), "one")
    assert template.text(chunk("two", "f")) == "two"
    assert template.text(chunk("three", "0123456789")) == "three"
    assert template.text(other) is None
    assert template.text(chunk("four", "z", {"hate": {"filtered": True, "severity": "high"}})) is None
