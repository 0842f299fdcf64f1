"""Exports: whole files of the user's choice, safe to open in a spreadsheet, nothing replaced unasked."""

from __future__ import annotations

import csv
import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from tui_stage import opened, type_text, until

from tui.app import SwitchroomApp
from tui.exporting import Exported, Told, export, write, wrong_with
from tui.widgets.line import Line

ROWS = Exported(
    "things",
    ("name", "price", "count", "on", "note"),
    [
        {"name": "alpha", "price": Decimal("0.0000001"), "count": -3, "on": True, "note": None},
        {"name": "=HYPERLINK(1)", "price": None, "count": 0, "on": False, "note": "+1, \"two\"\nlines \x1b[31m"},
        {"name": "@x", "price": Decimal("-2.50"), "count": None, "on": True, "note": "sk-0123456789abcdefghij"},
    ],
)  # fmt: skip


def test_a_spreadsheet_finds_no_formula_no_escape_and_no_key(tmp_path: Path) -> None:
    path = tmp_path / "things.csv"
    write(path, ROWS, replace=False)
    text = path.read_text()
    with path.open(newline="") as file:
        table = list(csv.reader(file))
    assert table[0] == list(ROWS.fields)
    assert table[1] == ["alpha", "0.0000001", "-3", "yes", ""]
    assert table[2][0] == "'=HYPERLINK(1)"
    assert table[2][4].startswith("'+1")
    assert table[3][:2] == ["'@x", "-2.50"]
    assert "\x1b" not in text
    assert "sk-0123456789" not in text


def test_json_keeps_types_and_says_null_for_unknown(tmp_path: Path) -> None:
    write(tmp_path / "a.json", ROWS, replace=False)
    write(tmp_path / "a.jsonl", ROWS, replace=False)
    found = json.loads((tmp_path / "a.json").read_text())
    assert found[0] == {"name": "alpha", "price": "0.0000001", "count": -3, "on": True, "note": None}
    assert found == [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    write(tmp_path / "none.json", Exported("none", ("a",), []), replace=False)
    assert json.loads((tmp_path / "none.json").read_text()) == []


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("before")

    def fails(_row: int) -> dict[str, object]:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write(path, Exported("a", ("n",), Told([1], fails)), replace=True)
    with pytest.raises(FileExistsError):
        write(path, ROWS, replace=False)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_cannot_be_is_told_with_the_way_on(tmp_path: Path) -> None:
    assert "file name" in (wrong_with("  ") or "")
    assert "folder" in (wrong_with(str(tmp_path)) or "")
    assert ".csv, .json or .jsonl" in (wrong_with(str(tmp_path / "a.txt")) or "")
    assert "no folder" in (wrong_with(str(tmp_path / "no" / "a.csv")) or "")
    assert wrong_with(str(tmp_path / "a.JSON")) is None


async def test_the_window_asks_for_the_name_and_before_it_replaces(
    app: SwitchroomApp, tmp_path: Path
) -> None:
    path = tmp_path / "t.json"
    path.write_text("mine")
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        app.do(export(app, ROWS))
        text = await until(pilot, "Export 3 rows to which file?")
        assert "things-" in text
        app.screen.query_one(Line).value = str(tmp_path / "t")
        await pilot.press("enter")
        await until(pilot, "must end in .csv")
        await pilot.press("end")
        await type_text(pilot, ".json")
        await pilot.press("enter")
        await until(pilot, "Replace t.json?")
        await pilot.press("n")
        await until(pilot, "Export 3 rows")
        assert path.read_text() == "mine"
        await pilot.press("enter")
        await until(pilot, "Replace t.json?")
        await pilot.press("y")
        await until(pilot, "Replace", gone=True)
        await app.workers.wait_for_complete()
        assert app.notices[-1].message == f"3 rows written to {path}."
        assert len(json.loads(path.read_text())) == 3


def _parts(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.endswith((".part", ".csv"))]


async def test_a_full_disk_is_told_and_another_place_can_be_chosen(
    app: SwitchroomApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, full = os.fsync, [True]

    def sync(number: int) -> None:
        if full[0]:
            raise OSError(28, "No space left on device")
        real(number)

    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        monkeypatch.setattr("tui.exporting.os.fsync", sync)
        app.do(export(app, ROWS))
        await until(pilot, "Export 3 rows to which file?")
        app.screen.query_one(Line).value = str(tmp_path / "t.csv")
        await pilot.press("enter")
        await until(pilot, "Not written: No space left on device. Choose another place.")
        assert not _parts(tmp_path)
        full[0] = False
        await pilot.press("enter")
        await until(pilot, "Export 3 rows", gone=True)
        await app.workers.wait_for_complete()
        assert len((tmp_path / "t.csv").read_text().splitlines()) == 5, (
            "whole: a title and three rows, one of two lines"
        )


@pytest.mark.parametrize("text", ["\n=1+1", "＝1+1", "＠SUM(A1)", "\t=1", "\r=1"])
def test_no_beginning_of_a_formula_is_left(tmp_path: Path, text: str) -> None:
    write(tmp_path / "a.csv", Exported("a", ("x",), [{"x": text}]), replace=False)
    with (tmp_path / "a.csv").open(newline="") as file:
        [_, [cell]] = csv.reader(file)
    assert cell[0] in "'␍"


def test_text_that_is_no_unicode_is_written_all_the_same(tmp_path: Path) -> None:
    for ending in (".csv", ".json", ".jsonl"):
        write(tmp_path / f"a{ending}", Exported("a", ("x",), [{"x": "half \udcff"}]), replace=False)
    assert json.loads((tmp_path / "a.jsonl").read_text())["x"] == "half \udcff"
