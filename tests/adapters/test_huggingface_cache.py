"""The cache of models: sizes without counting twice, what is not whole, and folders that want to lead elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters.huggingface.cache import folder_of, remove, scan
from adapters.huggingface.places import cache_folder

COMMIT = "5f0b02c75b57c5855da9ae460ce51323ea669d8a"


def model(cache: Path, name: str = "models--openai--whisper-tiny") -> Path:
    """A whole model of one file, 1,000 bytes, in two revisions."""
    path = cache / name
    (path / "blobs").mkdir(parents=True)
    (path / "blobs" / "abc").write_bytes(b"x" * 1000)
    for commit in (COMMIT, "0" * 40):
        (path / "snapshots" / commit).mkdir(parents=True)
        (path / "snapshots" / commit / "model.bin").symlink_to("../../blobs/abc")
    (path / "refs").mkdir()
    (path / "refs" / "main").write_text(COMMIT)
    return path


def test_a_blob_of_two_revisions_counts_once(tmp_path: Path) -> None:
    model(tmp_path)
    (tmp_path / "CACHEDIR.TAG").write_text("x")
    (tmp_path / ".locks" / "models--openai--whisper-tiny").mkdir(parents=True)
    (tmp_path / "datasets--a--b" / "blobs").mkdir(parents=True)
    [found] = scan(tmp_path)
    assert (found.id, found.size_bytes, found.state) == ("openai/whisper-tiny", 1000, "ready")
    assert (found.details["files"], found.details["revisions"]) == (2, 2)
    assert int(found.details["last_used_at"]) > 10**12


def test_copies_where_links_cannot_be_made(tmp_path: Path) -> None:
    path = model(tmp_path)
    link = path / "snapshots" / COMMIT / "model.bin"
    link.unlink()
    link.write_bytes(b"y" * 500)
    [found] = scan(tmp_path)
    assert (found.size_bytes, found.state) == (1500, "ready")


def test_what_is_not_whole_is_told(tmp_path: Path) -> None:
    cut = model(tmp_path, "models--a--cut")
    (cut / "blobs" / "def.123.incomplete").write_bytes(b"z" * 10)
    gone = model(tmp_path, "models--a--gone")
    (gone / "blobs" / "abc").unlink()
    unnamed = model(tmp_path, "models--a--unnamed")
    (unnamed / "refs" / "main").write_text("f" * 40)
    (tmp_path / "models--a--begun" / "blobs").mkdir(parents=True)
    assert {one.id: one.state for one in scan(tmp_path)} == {
        "a/begun": "partial", "a/cut": "partial", "a/gone": "damaged", "a/unnamed": "damaged",
    }  # fmt: skip


def test_hostile_folders(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "treasure").write_bytes(b"t" * 99)
    cache = tmp_path / "hub"
    path = model(cache, "models--evil--links")
    (path / "snapshots" / COMMIT / "out").symlink_to(outside / "treasure")
    (path / "snapshots" / COMMIT / "loop").symlink_to("loop")
    (path / "blobs" / "way-out").symlink_to(outside / "treasure")
    (cache / "models--evil--folder").symlink_to(outside)
    (cache / "models--evil--file").write_text("x")
    (cache / "models--evil--\x1b[31mred").mkdir()
    os.mkfifo(path / "blobs" / "pipe")
    found = {one.id: one for one in scan(cache)}
    assert found["evil/links"].state == "damaged"
    assert found["evil/links"].size_bytes == 1000, "what a link leads to is not of the cache"
    assert not any("\x1b" in name for name in found)
    assert "evil/folder" not in found
    remove(cache, path)
    assert (outside / "treasure").read_bytes() == b"t" * 99
    assert not path.exists()
    assert scan(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "../outside",
        "a/../../outside",
        "/etc",
        "a//b",
        "a/b/c",
        "",
        ".locks",
        "evil/folder",
        "a\\..\\b",
        "a\x00b",
    ],
)
def test_no_name_leads_out_of_the_cache(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").mkdir()
    cache = tmp_path / "hub"
    model(cache)
    (cache / "models--evil--folder").symlink_to(tmp_path / "outside")
    assert folder_of(cache, name) is None
    assert folder_of(cache, "openai/whisper-tiny") == cache / "models--openai--whisper-tiny"
    for elsewhere in (tmp_path / "outside", cache / "models--evil--folder", cache):
        with pytest.raises(PermissionError):
            remove(cache, elsewhere)
    assert (tmp_path / "outside").is_dir()


HASH = "ab" * 32


def sharing(cache: Path, *names: str) -> Path:
    """Models whose one file is in the cache's shared store, as the library keeps what it downloads. Gives that file."""
    blob = cache / "blobs" / HASH[:2] / HASH
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"s" * 2000)
    (cache / "blobs" / ".huggingface-shared-blobs").write_text("1\n")
    for name in names:
        path = model(cache, f"models--{name}")
        (path / "blobs" / "abc").unlink()
        (path / "blobs" / "abc").symlink_to(f"../../blobs/{HASH[:2]}/{HASH}")
        with blob.with_name(f"{HASH}.refs").open("a") as refs:
            refs.write(f"models--{name}/blobs/abc\n")
    return blob


def test_a_file_in_the_shared_store_is_whole_and_goes_with_the_last_model_that_uses_it(
    tmp_path: Path,
) -> None:
    blob = sharing(tmp_path, "a--one", "a--two")
    assert [(one.id, one.size_bytes, one.state) for one in scan(tmp_path)] == [
        ("a/one", 2000, "ready"),
        ("a/two", 2000, "ready"),
    ]
    remove(tmp_path, tmp_path / "models--a--one")
    assert blob.is_file(), "the other one needs it"
    assert [one.state for one in scan(tmp_path)] == ["ready"]
    remove(tmp_path, tmp_path / "models--a--two")
    assert not blob.exists()


@pytest.mark.parametrize("harm", ["no list", "no mark", "list outside", "store is a link"])
def test_a_shared_file_of_which_nothing_sure_is_known_stays(tmp_path: Path, harm: str) -> None:
    cache, outside = tmp_path / "hub", tmp_path / "outside"
    blob = sharing(cache, "a--one")
    refs = blob.with_name(f"{HASH}.refs")
    if harm == "no list":
        refs.unlink()
    elif harm == "no mark":
        (cache / "blobs" / ".huggingface-shared-blobs").unlink()
    elif harm == "list outside":
        (tmp_path / "list").write_text(refs.read_text())
        refs.unlink()
        refs.symlink_to(tmp_path / "list")
    else:
        (cache / "blobs").rename(outside)
        (cache / "blobs").symlink_to(outside)
        blob = outside / HASH[:2] / HASH
        assert [one.state for one in scan(cache)] == ["damaged"]
    remove(cache, cache / "models--a--one")
    assert blob.is_file()


def test_a_link_to_a_shared_file_that_is_gone_is_damage(tmp_path: Path) -> None:
    sharing(tmp_path, "a--one").unlink()
    assert [(one.state, one.size_bytes) for one in scan(tmp_path)] == [("damaged", 0)]


def test_a_deletion_that_fails_half_way_leaves_the_model_to_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = model(tmp_path)
    left = tmp_path / ".deleting-models--a--old-1"
    left.mkdir()

    def refused(at: object, **_how: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", refused)
        with pytest.raises(PermissionError):
            remove(tmp_path, path)
    assert [one.id for one in scan(tmp_path)] == ["openai/whisper-tiny"]
    remove(tmp_path, path)
    assert list(tmp_path.iterdir()) == [], "what an earlier deletion left is gone, too"


def test_a_relative_cache_is_where_the_program_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cache_folder({"HF_HUB_CACHE": "hub/../here"}) == tmp_path / "here"
    assert cache_folder({"HF_HUB_CACHE": "~/here"}) == Path.home() / "here"
