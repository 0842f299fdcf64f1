"""The user's own catalog files: two schemas read, mistakes named with file, line and reason, the rest kept."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.lookup import Catalog
from catalog.merge import merge_model
from catalog.types import ModelInfo
from catalog.user import load_user
from services.targets import resolve_target

OURS = {
    "id": "acme", "name": "Acme", "dialect": "openai", "endpoint": "https://llm.acme.example/v1",
    "models": [{"id": "acme-1", "context_window": 8192, "price": {"input": "0.5", "output": 2, "cache_read": 0.05}}],
}  # fmt: skip
CATWALK = {
    "name": "Acme", "id": "acme", "type": "openai-compat", "api_key": "$ACME_API_KEY", "api_endpoint": "https://llm.acme.example/v1",
    "default_large_model_id": "acme-1", "default_small_model_id": "acme-s",
    "models": [
        {"id": "acme-1", "name": "Acme One", "cost_per_1m_in": 3, "cost_per_1m_out": 15, "cost_per_1m_in_cached": 3.75,
         "cost_per_1m_out_cached": 0.3, "context_window": 200000, "default_max_tokens": 5000, "can_reason": True,
         "supports_attachments": True, "options": {}},
        {"id": "acme-s", "name": "Acme S", "cost_per_1m_in": 1, "cost_per_1m_out": 2, "cost_per_1m_in_cached": 0,
         "cost_per_1m_out_cached": 0, "context_window": 0, "default_max_tokens": 0, "can_reason": False, "supports_attachments": False},
    ],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "user-catalog").mkdir()
    return tmp_path / "user-catalog"


def put(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), "utf-8")
    return path


def test_our_own_schema_is_read(folder: Path) -> None:
    put(folder, "acme.json", OURS)
    catalog = Catalog(folder)
    model = catalog.model("acme", "acme-1").user
    assert not catalog.problems
    assert model is not None
    assert model.price is not None
    assert (model.price.input, model.price.output, model.price.cache_read) == (
        Decimal("0.5"),
        Decimal(2),
        Decimal("0.05"),
    )
    assert [spec.id for spec in catalog.specs()][-1] == "acme"


def test_catwalks_cached_prices_are_write_and_read_and_0_is_unknown(folder: Path) -> None:
    put(folder, "acme.json", CATWALK)
    found = load_user(folder)
    assert not found.problems
    one, small = found.providers["acme"].models
    assert one.price is not None
    assert (one.price.cache_write, one.price.cache_read) == (Decimal("3.75"), Decimal("0.3"))
    assert small.price is not None
    assert (small.price.cache_write, small.price.cache_read, small.price.input) == (None, None, Decimal(1))
    assert (small.context_window, small.default_max_tokens) == (None, None)
    assert one.capabilities == ("vision", "reasoning")
    assert small.capabilities == ()
    assert found.providers["acme"].env.key == ("ACME_API_KEY",)
    assert found.providers["acme"].default_model == "acme-1"


def test_a_file_for_a_bundled_vendor_adds_to_it(folder: Path) -> None:
    put(
        folder,
        "openai.json",
        {
            "models": [
                {"id": "gpt-mine", "cost_per_1m_in": 1, "cost_per_1m_out": 1},
                {"id": "gpt-4o", "context_window": 7},
            ]
        },
    )
    catalog = Catalog(folder)
    assert not catalog.problems
    spec = catalog.spec("openai")
    assert spec is not None
    assert spec.endpoint == "https://api.openai.com/v1"
    own, _, shipped = catalog.model("openai", "gpt-4o")
    merged = merge_model("gpt-4o", user=own, bundled=shipped)
    assert (merged.context_window, merged.sources["context_window"]) == (7, "user")
    assert merged.price == (shipped.price if shipped else None)
    provider = catalog.provider("openai")
    assert provider is not None
    assert {"gpt-mine", "gpt-5.2"} <= {model.id for model in provider.models}


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        pytest.param('{\n "id": "x",\n "models": [\n', 4, "not valid JSON", id="cut short"),
        pytest.param("[]", 1, "one JSON object", id="no object"),
        pytest.param('{"id": "x", "name": NaN}', 1, "NaN", id="not a number"),
        pytest.param({**OURS, "models": [{"id": "a"}, {"id": "b", "contxt": 1}]}, 12, "models.1.contxt", id="misspelt"),
        pytest.param({**OURS, "dialect": "telepathy"}, 4, "dialect", id="dialect"),
        pytest.param({**OURS, "models": [{"id": "a", "price": {"input": -1}}]}, 10, "models.0.price.input", id="negative"),
        pytest.param({**CATWALK, "type": "telepathy"}, 4, "`type` must be one of", id="catwalk type"),
        pytest.param({**CATWALK, "models": [{"id": "a"}, {"name": "b"}]}, 13, "`id` is missing", id="catwalk model without id"),
        pytest.param({**CATWALK, "models": [{"id": "a", "cost_per_1m_in": -2}]}, 12, "`cost_per_1m_in` must be an amount", id="catwalk price"),
        pytest.param({**CATWALK, "models": [{"id": "a", "context_window": "big"}]}, 12, "whole number", id="catwalk window"),
        pytest.param({**CATWALK, "models": {"a": 1}}, 9, "must be a list", id="catwalk models"),
        pytest.param({**CATWALK, "models": [{"id": "a", "tiers": [{"cost_per_1m_in": 1}]}]}, 10, "over_input_tokens", id="tier without limit"),
        pytest.param({"id": "nobody", "type": "openai", "models": []}, 1, "`api_endpoint` is missing", id="no endpoint"),
        pytest.param("[" * 100_000, 1, "not valid JSON", id="very deep"),
    ],
)  # fmt: skip
def test_a_bad_file_is_named_with_line_and_reason_and_the_rest_loads(
    folder: Path, content: object, line: int, reason: str
) -> None:
    bad = put(folder, "bad.json", content)
    put(folder, "good.json", {**OURS, "id": "good"})
    found = load_user(folder)
    assert list(found.providers) == ["good"]
    [problem] = found.problems
    assert (problem.file, problem.line) == (bad, line)
    assert reason in problem.reason
    assert str(problem).startswith(f"{bad}:{line}: ")


def test_a_file_that_is_no_text_and_one_that_comes_twice(folder: Path) -> None:
    (folder / "bytes.json").write_bytes(b'{\n"id": "\xff"}')
    put(folder, "a.json", OURS)
    put(folder, "b.json", OURS)
    problems = {problem.file.name: problem for problem in load_user(folder).problems}
    assert (problems["bytes.json"].line, problems["bytes.json"].reason) == (2, "not UTF-8 text")
    assert "another file" in problems["b.json"].reason


def test_no_folder_is_an_empty_catalog(tmp_path: Path) -> None:
    assert load_user(tmp_path / "absent").providers == {}


def test_what_a_file_says_cannot_steer_a_terminal(folder: Path) -> None:
    put(folder, "acme.json", {**OURS, "name": "Acme\x1b]52;c;AAAA\x07"})
    assert "\x1b" not in load_user(folder).providers["acme"].name


@pytest.mark.parametrize("depth", [100, 300, 700, 5_000, 200_000])
def test_a_file_that_is_nested_too_deeply_hides_no_other(folder: Path, depth: int) -> None:
    (folder / "a.json").write_text('{"note": ' + "[" * depth + "]" * depth + "}", "utf-8")
    (folder / "groq.json").write_text('{"models": [{"id": "m", "context_window": 7}]}', "utf-8")
    found = load_user(folder)
    assert found.providers["groq"].models[0].context_window == 7
    assert [problem.file.name for problem in found.problems] == ["a.json"]


_NAMES = [
    "id", "name", "dialect", "type", "endpoint", "api_endpoint", "models", "env", "price", "tiers", "windows", "batch",
    "over_input_tokens", "cost_per_1m_in", "cost_per_1m_out", "scheduled_prices", "off_peak", "hours_utc", "sources",
    "iso_weekdays", "modalities_in", "context_window", "status", "models_endpoint", "key_hint", "url_patterns",
]  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just("openai"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=6),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(document=st.dictionaries(st.sampled_from(_NAMES), _JSON, max_size=8), ours=st.booleans())
def test_whatever_a_file_holds_it_is_read_or_named(document: dict[str, object], ours: bool) -> None:
    with TemporaryDirectory() as place:
        (Path(place) / "openai.json").write_text(
            json.dumps(document | ({"dialect": "openai"} if ours else {})), "utf-8"
        )
        found = load_user(Path(place))
        assert len(found.providers) + len(found.problems) == 1
        catalog = Catalog(Path(place))
        for vendor in found.providers:
            assert catalog.provider(vendor) is not None


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (
            {
                "off_peak": {
                    "cost_per_1m_in": 1,
                    "windows": [{"hours_utc": ["at night"], "iso_weekdays": [1]}],
                }
            },
            3,
        ),
        (
            {
                "off_peak": {
                    "cost_per_1m_in": 1,
                    "windows": [{"hours_utc": ["04:00-30:00"], "iso_weekdays": [1]}],
                }
            },
            3,
        ),
        (
            {
                "off_peak": {
                    "cost_per_1m_in": 1,
                    "windows": [{"hours_utc": ["04:00-06:00"], "iso_weekdays": [9]}],
                }
            },
            3,
        ),
        ({"scheduled_prices": [{"from_date": "2026-6-1", "cost_per_1m_in": 1}]}, 3),
        ({"tiers": [{"over_input_tokens": -1, "cost_per_1m_in": 1}]}, 3),
    ],
    ids=["no hours", "no hour 30", "no ninth day", "no ISO date", "a negative size"],
)
def test_a_rule_that_no_run_could_be_priced_by_is_refused_with_its_file(
    folder: Path, rule: dict[str, object], line: int
) -> None:
    model = json.dumps({"id": "m", "cost_per_1m_in": 2, "cost_per_1m_out": 3, **rule})
    (folder / "openai.json").write_text('{"models": [\n\n' + model + "]}", "utf-8")
    found = load_user(folder)
    assert found.providers == {}
    assert [problem.line for problem in found.problems] == [line]


def test_a_model_that_ends_in_a_month_is_there_until_its_last_day() -> None:
    info = ModelInfo(id="m", shutdown_date="2026-12")
    assert [info.retired_on(day) for day in ("2026-12-01", "2026-12-31", "2027-01-01")] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("depth", [600, 100_000])
def test_a_file_nested_too_deeply_is_told_in_plain_words(tmp_path: Path, depth: int) -> None:
    (tmp_path / "deep.json").write_text('{"id": "deep", "models": ' + "[" * depth + "]" * depth + "}")
    [problem] = load_user(tmp_path).problems
    assert problem.reason == "not valid JSON for a catalog: nested too deeply"


def _with_vendors(folder: Path) -> Catalog:
    own = OURS | {"url_patterns": [r"^https?://[^/]+\.acme\.test(/|$)", "("]}
    (folder / "acme.json").write_text(json.dumps(own))
    thief = {"id": "thief", "name": "Thief", "dialect": "openai", "endpoint": "https://api.openai.com/v1"}
    (folder / "thief.json").write_text(json.dumps(thief))
    return Catalog(folder)


@pytest.mark.parametrize(
    ("url", "vendor"),
    [
        ("https://llm.acme.example/v1", "acme"),  # by its own host
        ("https://eu.acme.test/v1", "acme"),  # by a pattern
        ("https://api.openai.com/v1", "openai"),  # bundled vendors first
        ("https://elsewhere.example/v1", None),
    ],
)
def test_a_vendor_of_the_user_is_found_by_its_address(tmp_path: Path, url: str, vendor: str | None) -> None:
    catalog = _with_vendors(tmp_path)
    assert catalog.detect(url).catalog_id == vendor
    assert resolve_target(catalog, None, url, None).catalog_id == vendor
