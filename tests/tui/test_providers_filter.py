"""Providers by facet, in order, and as rows of a file."""

from __future__ import annotations

import pytest
from tui_stage import NOW, fixed_views

from tui.exporting import Exported, write
from tui.screens.provider_columns import COLUMNS, EXPORTED, FACETS, ProviderLine, exported_row, search_text
from tui.widgets.rows import RowSet

LINES = [ProviderLine(view, NOW) for view in fixed_views()]


@pytest.mark.parametrize(
    ("text", "slugs"),
    [
        ("state:ok", {"llama-local", "openai-prod"}),
        ("state:invalid-key", {"azure-eu"}),
        ("-state:ok enabled:yes", {"anthropic", "azure-eu", "gemini"}),
        ("enabled:off", {"ollama"}),
        ("type:anthropic", {"anthropic"}),
        ("region:west", {"azure-eu"}),
        ("spend>1", {"anthropic", "openai-prod"}),
        ("errors>=1", {"anthropic", "azure-eu"}),
        ("ttft<500", {"llama-local", "openai-prod"}),
        ("opnaiprod", {"openai-prod"}),
    ],
)
def test_each_facet_narrows(text: str, slugs: set[str]) -> None:
    table: RowSet[ProviderLine] = RowSet(lambda line: line.slug, search_text, FACETS)
    table.set(list(LINES))
    table.set_filter(text)
    assert {table.rows[index].slug for index in table.shown} == slugs


def test_the_dearest_comes_first_and_the_unknown_last() -> None:
    table: RowSet[ProviderLine] = RowSet(lambda line: line.slug, search_text)
    table.set(list(LINES))
    spend = next(column for column in COLUMNS if column.key == "spend")
    assert spend.down
    table.set_order(spend.sort, descending=True)
    assert [table.rows[index].slug for index in table.shown][:3] == ["openai-prod", "anthropic", "azure-eu"]


def test_what_is_exported_has_no_key(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "p.csv"
    write(path, Exported("providers", EXPORTED, [exported_row(line) for line in LINES]), replace=False)
    text = path.read_text()
    assert "anthropic,limited,yes,anthropic" in text
    assert "keyring …vX2Q" in text
    assert "sk-" not in text
