"""What is told of a model's abilities: who is believed, what is only guessed, what no longer counts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.capabilities import (
    Asked,
    abilities,
    ability,
    day,
    read_asked,
    source_words,
    weights_of,
    write_asked,
)
from catalog.merge import merge_model
from catalog.types import ModelInfo

AT = 1_795_219_200_000
"""2026-11-21."""


def listed(*able: str) -> ModelInfo:
    return ModelInfo(id="m", capabilities=able)


@pytest.mark.parametrize(
    ("said", "probed", "user", "live", "bundled", "can", "source", "mark"),
    [
        (True, False, None, None, None, True, "user", "✓"),
        (False, True, listed("tools"), listed("tools"), None, False, "user", "✕"),
        (None, True, listed("vision"), None, None, False, "user", "✕"),
        (None, False, None, listed("tools"), listed("tools"), False, "probe", "✕"),
        (None, True, None, listed("vision"), None, True, "probe", "✓"),
        (None, None, None, listed("tools"), listed(), True, "live", "✓"),
        (None, None, None, listed(), listed("tools"), False, "live", "·"),
        (None, None, None, None, listed("tools"), True, "catalog", "✓"),
        (None, None, None, None, None, None, "", "—"),
    ],
)
def test_who_is_believed(
    said: bool | None,
    probed: bool | None,
    user: ModelInfo | None,
    live: ModelInfo | None,
    bundled: ModelInfo | None,
    can: bool | None,
    source: str,
    mark: str,
) -> None:
    info = merge_model(
        "m",
        user=user,
        live=live,
        bundled=bundled,
        probed=None if probed is None else {"tools": probed},
        said=None if said is None else {"tools": said},
    )
    found = ability(info, "tools", {"tools": Asked(bool(probed), AT)} if probed is not None else {})
    assert (found.can, found.source, found.mark) == (can, source, mark)


def test_a_name_that_suggests_something_is_a_guess_and_no_denial() -> None:
    info = merge_model("qwen3-32b")
    found = {one.name: one for one in abilities(info)}
    assert (found["tools"].can, found["tools"].mark) == (True, "?")
    assert source_words(found["tools"]) == "guessed from the name"
    assert (found["vision"].can, found["vision"].mark) == (None, "—")
    sure = merge_model("qwen3-32b", probed={"tools": True})
    asked = {"tools": Asked(True, AT)}
    assert source_words(ability(sure, "tools", asked)) == "asked 2026-11-21"
    assert ability(sure, "reasoning", asked).guessed, "only what was asked for is sure"


def test_asking_for_one_ability_says_nothing_of_the_others() -> None:
    info = merge_model("plain-name-7", probed={"vision": True})
    found = {one.name: one for one in abilities(info, {"vision": Asked(True, AT)})}
    assert found["vision"].can is True
    assert {one.can for name, one in found.items() if name != "vision"} == {None}


def test_another_model_under_the_name() -> None:
    before = weights_of(fingerprint="sha256:aa", created=5, owned_by=None)
    text = write_asked({"tools": Asked(True, AT, weights=before), "json": Asked(False, AT, "user", before)})
    same = read_asked(text, weights_of(fingerprint="sha256:aa", created=5, owned_by="acme"))
    assert not any(entry.stale for entry in same.values()), "a field that is new says nothing"
    silent = read_asked(text, weights_of(fingerprint=None, created=None, owned_by=None))
    assert not any(entry.stale for entry in silent.values()), "nor does one that is gone"
    other = read_asked(text, weights_of(fingerprint="sha256:bb", created=5, owned_by=None))
    assert (other["tools"].stale, other["json"].stale) == (True, False), "the user's word is about the name"
    words = source_words(ability(merge_model("m", live=listed()), "tools", other))
    assert words == "not in the live list; ✓ when asked, before the model changed"


@given(
    st.dictionaries(
        st.sampled_from(("tools", "vision", "json", "reasoning")),
        st.builds(
            Asked,
            st.booleans(),
            st.integers(0, 2**41),
            st.sampled_from(("probe", "user")),
            st.just(()) | st.just((("created", "5"), ("fingerprint", "x"))),
        ),
    )
)
def test_what_is_written_is_read_again(asked: dict[str, Asked]) -> None:
    assert dict(read_asked(write_asked(asked))) == asked


def test_a_record_that_is_nested_without_end_says_nothing() -> None:
    assert dict(read_asked("[" * 100_000)) == {}


@given(st.text() | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(("tools", "can", "at", "by", "weights")) | st.text(), inner)).map(json.dumps))  # fmt: skip
def test_whatever_stands_in_the_store_is_read_without_harm(text: str) -> None:
    for name, entry in read_asked(text, (("fingerprint", "x"),)).items():
        assert isinstance(name, str)
        assert isinstance(entry.can, bool)
        assert day(entry.at)
