"""Adapters of other packages: installed for real they work, and broken ones are named and skipped."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest
from loop_server import Exchange, serving
from pydantic import SecretStr

from adapters import loader, plugins
from adapters.abilities import CountsTokens
from adapters.base import Connection
from adapters.errors import UnexpectedResponseError
from adapters.events import ChatRequest, Finished, Message, TextDelta
from adapters.fetch import Fetcher
from catalog.errors import UsageError
from catalog.options import check_option
from services.feed import Alert
from services.plugin_news import tell_broken

HERE = Path(__file__).resolve().parents[1] / "plugins"
ROOT = HERE.parents[1]
KEY = "sk-canary-5Zt8Qw2Rk9Xb"


def wheel(source: Path, folder: Path) -> Path:
    """What a build makes of a package, without the tools for it: a zip of its modules and metadata."""
    project = tomllib.loads((source / "pyproject.toml").read_text())["project"]
    name, version = project["name"].replace("-", "_"), project["version"]
    info = f"{name}-{version}.dist-info"
    points = "\n".join(
        f"[{group}]\n" + "\n".join(f"{key} = {value}" for key, value in entries.items())
        for group, entries in project["entry-points"].items()
    )
    files = {
        **{str(file.relative_to(source)): file.read_text() for file in source.glob(f"{name}/*.py")},
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": points + "\n",
    }
    made = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD")))
    return made


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of its own that has Switchroom, and both packages installed by pip."""
    folder = tmp_path_factory.mktemp("plugins")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    own = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    site.joinpath("switchroom.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    wheels = [wheel(HERE / name, folder) for name in ("sample", "broken")]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--python", str(own)]
    subprocess.run(
        [*pip, "install", "--no-deps", "--no-index", "--no-compile", *map(str, wheels)],
        check=True,
        timeout=150,
    )
    return own


async def answer(exchange: Exchange) -> None:
    if exchange.path == "/names":
        await exchange.answer(200, "parrot\nowl\n")
        return
    said = exchange.json
    await exchange.begin(content_type="text/plain")
    for line in (f"say You said: {said['lines'][-1]}", f"say , {said['tone']}.", "count 9 2", "end stop"):
        await exchange.send(line + "\n")
    exchange.writer.write(b"0\r\n\r\n")


async def test_an_installed_plug_in_is_added_synced_and_talked_to(python: Path, tmp_path: Path) -> None:
    async def switchroom(*words: str, status: int = 0) -> tuple[str, str]:
        process = await asyncio.create_subprocess_exec(
            str(python),
            "-m",
            "cli.main",
            *words,
            cwd=tmp_path,
            env={**os.environ, "SWITCHROOM_HOME": str(tmp_path / "home")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, told = (part.decode() for part in await asyncio.wait_for(process.communicate(), 150))
        assert process.returncode == status, (out, told)
        assert "Traceback" not in told
        return out, told

    async with serving(answer) as server:
        await switchroom(
            "providers", "add", "birds", "--type", "sample", "--url", server.url, "--option", "tone=curt"
        )
        _, told = await switchroom("providers", "edit", "birds", "--option", "tune=curt", status=2)
        assert "Did you mean tone?" in told
        out, _ = await switchroom("chat", "--model", "birds/owl", "Good morning", "--json")
    document = json.loads(out)
    assert document["text"] == "You said: user Good morning, curt."
    assert (document["usage"]["input"], document["usage"]["output"]) == (9, 2)
    out, told = await switchroom("health", "--json")
    found = {row["dialect"]: row for row in json.loads(out)["plugins"]}
    assert found["sample"] == {
        "dialect": "sample",
        "package": "switchroom-sample 1.2.0",
        "state": "ok",
        "message": None,
    }
    assert {name for name, row in found.items() if row["state"] == "broken"} == {
        "missing", "noisy", "number", "half", "quits", "factory", "openai", "Bad Name",
    }  # fmt: skip
    assert "own and cannot be replaced" in found["openai"]["message"]
    assert "ModuleNotFoundError" in found["missing"]["message"]
    assert "plug-ins" in told
    _, told = await switchroom(
        "providers", "add", "x", "--type", "half", "--url", "http://127.0.0.1:9", status=2
    )
    assert "is no adapter" in told


# --- in this process -----------------------------------------------------------------------------------------


class Installed(Distribution):
    """The package of broken dialects, as if it were installed."""

    def read_text(self, filename: str) -> str | None:
        return "Name: switchroom-broken\nVersion: 0.0.1\n" if filename == "METADATA" else None

    def locate_file(self, path: object) -> Path:
        return HERE / str(path)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    project = tomllib.loads((HERE / "broken" / "pyproject.toml").read_text())["project"]
    entries = project["entry-points"][plugins.GROUP]
    points = [EntryPoint(name, value, plugins.GROUP)._for(Installed()) for name, value in entries.items()]
    points.append(EntryPoint("sample", "switchroom_sample:SampleAdapter", plugins.GROUP))
    points.append(EntryPoint("sample", "elsewhere:Other", plugins.GROUP))
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)
    plugins._log.setLevel(logging.WARNING)  # whatever level a test before left above it
    plugins._told.clear()
    for name in ("sample", "broken"):
        monkeypatch.syspath_prepend(str(HERE / name))
    kept = (loader._plugins, loader._maker, plugins._points, plugins._loaded)
    for cache in kept:
        cache.cache_clear()
    yield
    plugins._log.setLevel(logging.NOTSET)
    for cache in kept:
        cache.cache_clear()
    plugins._told.clear()


def connection(dialect: str) -> Connection:
    return Connection("p", dialect, "http://127.0.0.1:9", key=SecretStr(KEY))


def test_ours_are_not_replaced(broken: None) -> None:
    assert loader.create(connection("openai"), Fetcher()).dialect == "openai"
    assert loader.create(connection("sample"), Fetcher()).dialect == "sample"
    assert loader.dialects()[-1] == "stumbling"
    assert loader.dialects().count("openai") == 1
    assert not loader.can("sample", CountsTokens)
    assert loader.can("sloppy", CountsTokens)
    assert isinstance(loader.create(connection("sloppy"), Fetcher()), CountsTokens)


@pytest.mark.parametrize("name", ["missing", "noisy", "number", "half", "quits", "factory", "stumbling"])
def test_a_broken_one_is_named_and_nothing_else_suffers(broken: None, name: str) -> None:
    with pytest.raises(UsageError, match="plug-in") as caught:
        loader.create(connection(name), Fetcher())
    assert KEY not in f"{caught.value!r} {caught.value.hint}"
    assert name in caught.value.message
    assert loader.create(connection("sample"), Fetcher()).dialect == "sample"


def test_each_is_reported_once_in_the_log(broken: None, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        found = {plugin.dialect: plugin for plugin in loader.plugins()}
    assert found["sloppy"].problem is None
    assert found["sloppy"].package == "switchroom-broken 0.0.1"
    assert found["Bad Name"].problem is not None
    assert caplog.text.count("switchroom_broken_missing") == 2, (
        "one line: the entry point, and the error's words"
    )
    assert any(p.dialect == "sample" and "already" in str(p.problem) for p in loader.plugins())


async def test_mistakes_while_it_works_become_errors_of_ours(
    broken: None, caplog: pytest.LogCaptureFixture
) -> None:
    adapter = loader.create(connection("sloppy"), Fetcher())
    verdict = await adapter.validate()
    assert verdict.state == "error"
    assert "ValueError" in verdict.message
    with pytest.raises(UnexpectedResponseError, match="KeyError"):
        await adapter.list_models()
    with pytest.raises(UnexpectedResponseError, match="RuntimeError"):
        async with adapter.stream(ChatRequest("refuses", (Message("user", "x"),))):
            pytest.fail("it was refused")
    async with adapter.stream(ChatRequest("m", (Message("user", "x"),))) as stream:
        events = [event async for event in stream]
    assert events[0] == TextDelta("Hello")
    assert isinstance(events[-1], Finished)
    assert (stream.state, stream.finish_reason) == ("failed", "error")
    assert "ZeroDivisionError" in str(stream.error)
    await adapter.aclose()
    assert "OSError" in caplog.text
    assert KEY not in f"{verdict!r} {stream.error!r} {caplog.text}"


async def test_what_is_not_in_the_contract_is_a_mistake(broken: None) -> None:
    adapter = loader.create(connection("careless"), Fetcher())
    assert "TypeError" in (await adapter.validate()).message
    [model] = await adapter.list_models()
    assert "\x1b" not in f"{model.id}{model.details}"
    assert "\n" not in str(model.name)
    async with adapter.stream(ChatRequest("m", (Message("user", "x"),))) as stream:
        assert [event async for event in stream] == [Finished("complete", "stop")]
    wrong = loader.create(replace(connection("careless"), key=SecretStr("wrong")), Fetcher())
    assert (await wrong.validate()).state == "invalid_key"
    with pytest.raises(UnexpectedResponseError, match="TypeError"):
        await wrong.list_models()


def test_a_vendors_name_is_taken(broken: None, monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("groq", "switchroom_sample:SampleAdapter", plugins.GROUP)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [point])
    [found] = loader.plugins()
    assert found.problem == "groq is the name of a vendor in the catalog."
    assert "groq" not in loader.dialects()


def test_metadata_that_cannot_be_read_costs_the_plug_ins_only(
    broken: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def damaged(group: str) -> list[EntryPoint]:
        raise UnicodeDecodeError("utf-8", b"", 0, 1, group)

    monkeypatch.setattr("importlib.metadata.entry_points", damaged)
    assert "openai" in loader.dialects()
    assert loader.plugins() == ()
    assert "cannot be listed" in caplog.text


def test_options_are_checked_where_they_are_declared(broken: None) -> None:
    declared = loader.options_of("sample")
    check_option("sample", "tone", "kind", declared)
    for name, value in (("tone", "loud"), ("organization", "x")):
        with pytest.raises(UsageError):
            check_option("sample", name, value, declared)
    assert loader.options_of("sloppy") == {}
    check_option("sloppy", "anything", "goes", loader.options_of("sloppy"))


async def test_the_terminal_ui_is_told_once(broken: None) -> None:
    told: list[object] = []
    services = SimpleNamespace(feed=SimpleNamespace(publish=told.append))
    await tell_broken(services)  # type: ignore[arg-type]
    [alert] = told
    assert isinstance(alert, Alert)
    assert (alert.kind, alert.title) == ("warning", "9 plug-ins are not used")
    assert "switchroom-broken 0.0.1: " in alert.message
    assert alert.message.endswith(" And 8 more.")
