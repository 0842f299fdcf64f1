"""What a path that is being typed is completed to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.widgets.path_suggester import completed


def test_names_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cat.PNG", "cats.txt", ".hidden.png", "ca\x1bt.png"):
        (tmp_path / name).touch()
    (tmp_path / "catalog").mkdir()
    at = f"{tmp_path}/"
    assert completed(f"{at}ca", (".png",)) == f"{at}cat.PNG"
    assert completed(f"{at}cata", (".png",)) == f"{at}catalog/"
    assert completed(f"{at}cats") == f"{at}cats.txt"
    assert completed(f"{at}cats", (".png",)) is None
    assert completed(f"{at}.h") == f"{at}.hidden.png"
    assert completed(f"{at}nothing/x") is None
    assert completed("a\0b/x") is None
    monkeypatch.setenv("HOME", str(tmp_path))
    assert completed("~/cata") == "~/catalog/"
    monkeypatch.chdir(tmp_path)
    assert completed("cata") == "catalog/"
