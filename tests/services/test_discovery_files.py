"""`.env` files as people have them: how they are written, what is wrong with them, and how a reference into ours resolves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.container import open_services
from services.environment import folder_file, folder_variables, variables
from services.paths import resolve
from store.vault.env_file import LARGEST, read_env_file

KEY = "gsk_" + "c4naryC4nary" * 4

WRITTEN = {
    "plain": f"GROQ_API_KEY={KEY}\n",
    "quotes": f'GROQ_API_KEY="{KEY}"\n',
    "single quotes": f"GROQ_API_KEY='{KEY}'\n",
    "export": f"export GROQ_API_KEY={KEY}\n",
    "comments": f"# mine\nGROQ_API_KEY={KEY} # the good one\n",
    "CRLF": f"A=1\r\nGROQ_API_KEY={KEY}\r\nB=2\r\n",
    "byte order mark": f"\ufeffGROQ_API_KEY={KEY}\n",
    "the last of two": f"GROQ_API_KEY=old\nGROQ_API_KEY={KEY}\n",
    "spaces": f"  GROQ_API_KEY = {KEY}  \n",
    "a broken line": f"this is no line\nGROQ_API_KEY={KEY}\n",
    "an open quote": f'A="open\nGROQ_API_KEY={KEY}\n',
    "no line end": f"GROQ_API_KEY={KEY}",
}


@pytest.mark.parametrize("how", WRITTEN)
def test_however_it_is_written(tmp_path: Path, how: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / ".env"
    path.write_bytes(WRITTEN[how].encode())
    assert folder_variables(path).key("GROQ_API_KEY") == KEY
    assert capfd.readouterr() == ("", "")


def test_nothing_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "leaked")
    path = tmp_path / ".env"
    path.write_text("A=${SECRET}\nB=$(id)\nC=`id`\n")
    assert dict(read_env_file(path).values) == {"A": "${SECRET}", "B": "$(id)", "C": "`id`"}


def test_nul_and_overlong_values_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"A=a\x00b\nB=" + b"x" * 20_000 + b"\nC=1\n")
    assert dict(read_env_file(path).values) == {"C": "1"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"A=\xff\xfe\n", "is not UTF-8 text"), (b"A=1\n" * LARGEST, "is larger than 256 KB")],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / ".env"
    path.write_bytes(content)
    file = read_env_file(path)
    assert (file.problem, dict(file.values)) == (problem, {})


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    assert read_env_file(tmp_path / "fifo").problem == "is not a file"
    assert read_env_file(tmp_path / "folder").problem
    assert read_env_file(tmp_path / "none").problem == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_one_may_not_read(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1")
    path.chmod(0)
    assert "cannot be read" in read_env_file(path).problem


def test_the_environment_goes_before_the_file_and_an_empty_variable_does_not(home: Path) -> None:
    paths = resolve()
    paths.config.mkdir()
    paths.env_file.write_text("A=file\nB=file\nC=file\n")
    both = variables(paths, {"A": "process", "B": "  "})
    assert [both.text(name) for name in "ABC"] == ["process", "file", "file"]
    assert [both.source_of(name) for name in "ABC"] == ["environment", "config", "config"]
    assert both.where("B") == "in config/.env"


def test_our_own_file_is_not_the_folders(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = resolve()
    paths.config.mkdir()
    paths.env_file.write_text("A=1")
    monkeypatch.chdir(paths.config)
    assert folder_file(paths) is None
    monkeypatch.chdir(home)
    assert folder_file(paths) is None
    (home / ".env").write_text("B=1")
    assert folder_file(paths) == home / ".env"


def test_a_working_directory_that_is_gone(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert folder_file(resolve()) is None


async def test_a_reference_finds_what_is_only_in_our_file(home: Path) -> None:
    paths = resolve()
    paths.ensure()
    paths.env_file.write_bytes(b'\xef\xbb\xbfexport GROQ_API_KEY="' + KEY.encode() + b'"\r\n')
    async with open_services() as services:
        secret = await services.credentials.resolve("env:GROQ_API_KEY")
        assert secret is not None
        assert secret.get_secret_value() == KEY


async def test_a_blank_variable_hides_no_key_of_our_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "  ")
    paths = resolve()
    paths.ensure()
    paths.env_file.write_text(f"GROQ_API_KEY={KEY}\n")
    assert variables(paths).key("GROQ_API_KEY") == KEY
    async with open_services() as services:
        secret = await services.credentials.resolve("env:GROQ_API_KEY")
        assert secret is not None
        assert secret.get_secret_value() == KEY
