"""Which files become images of a prompt, and which pasted texts are meant as such files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catalog.errors import UsageError
from services.attachments import IMAGE_LIMIT, pasted_paths, read_image, typed_path

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


@pytest.mark.parametrize(
    ("head", "media_type"),
    [(PNG, "png"), (b"\xff\xd8\xff\xe0", "jpeg"), (b"GIF89a", "gif"), (b"RIFF\0\0\0\0WEBPVP8 ", "webp")],
)
def test_the_bytes_say_the_type_and_not_the_name(tmp_path: Path, head: bytes, media_type: str) -> None:
    file = tmp_path / "any\x1b[31m.txt"
    file.write_bytes(head + b"rest")
    image = read_image(file)
    assert (image.media_type, image.data) == (f"image/{media_type}", head + b"rest")
    assert "\x1b" not in image.name


def test_what_is_no_image_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.png").touch()
    (tmp_path / "wave.png").write_bytes(b"RIFF\0\0\0\0WAVE")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "loop.png").symlink_to("loop.png")
    os.mkfifo(tmp_path / "pipe.png")
    with (tmp_path / "big.png").open("wb") as big:
        big.write(PNG)
        big.truncate(IMAGE_LIMIT + 1)
    for name, words in {
        "text.png": "none of PNG", "empty.png": "none of PNG", "wave.png": "none of PNG", "zero.png": "no ordinary file",
        "loop.png": "cannot be read", "pipe.png": "no ordinary file", "big.png": "larger than 20 MB", "": "is a folder",
        "none.png": "cannot be read: No such file", "a\0b": "character",
    }.items():  # fmt: skip
        with pytest.raises(UsageError, match=words):
            read_image(tmp_path / name)


def test_a_pasted_or_dragged_path_is_told_from_text(tmp_path: Path) -> None:
    plain, spaced = tmp_path / "cat.png", tmp_path / "my cat's mat.JPG"
    for file in (plain, spaced):
        file.write_bytes(PNG)
    escaped = str(spaced).replace(" ", "\\ ").replace("'", "\\'")
    for text in (str(spaced), f' "{spaced}" ', escaped, f"file://{spaced}".replace(" ", "%20")):
        assert pasted_paths(text) == (spaced,), text
        assert typed_path(text) == spaced
    assert pasted_paths(f"{escaped} '{plain}' ") == (spaced, plain)
    assert pasted_paths(f"{plain}\n{spaced}\n") == (plain, spaced)
    for text in ("", "cat.png", f"look at {plain}", str(plain) + "x", f"{plain} and more", f"{tmp_path}/none.png",
                 "/" + "a" * 5000 + ".png", "\0.png", "'/open.png", "file://[bad/x.png"):  # fmt: skip
        assert pasted_paths(text) == (), text
