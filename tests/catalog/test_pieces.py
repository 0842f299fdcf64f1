"""Reading a document in parts gives what reading it whole gives."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import pieces

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=40,
)


@given(JSON, st.sampled_from([None, 0, 3]), st.booleans())
def test_a_document_is_what_the_whole_reading_makes_of_it(
    document: object, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    assert pieces.load(f" \n{text}\t") == json.loads(text, parse_float=str)


@given(st.text(alphabet='{}[]",:1 \\tru\nae-.', max_size=30))
def test_what_is_no_document_is_refused_as_the_whole_reading_refuses_it(text: str) -> None:
    try:
        whole: object = json.loads(text, parse_float=str)
    except ValueError:
        with pytest.raises(json.JSONDecodeError):
            pieces.load(text)
    else:
        assert pieces.load(text) == whole


def test_a_document_of_brackets_alone_is_refused() -> None:
    with pytest.raises((ValueError, RecursionError)):
        pieces.load("[" * 200_000)


def test_no_part_that_is_read_in_one_go_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    spans: list[int] = []

    class Decoder(json.JSONDecoder):
        def raw_decode(self, text: str, idx: int = 0) -> tuple[object, int]:
            found, end = super().raw_decode(text, idx)
            spans.append(end - idx)
            return found, end

    monkeypatch.setattr(pieces, "_DECODER", Decoder(parse_float=str))
    models = {f"m{number}": {"limit": {"context": number}, "text": "x" * 500} for number in range(300)}
    for document in (
        {f"v{number}": {"models": models} for number in range(5)},
        [{"id": "v", "models": list(models.values())}],
        {"data": list(models.values())},
    ):
        assert pieces.load(json.dumps(document)) == document
    assert max(spans) < 1000
