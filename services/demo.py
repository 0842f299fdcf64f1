"""The demo: a throw-away home with scripted providers and ninety days of history; no key, no network, nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from services import clock, process
from services.paths import Paths, under

if TYPE_CHECKING:
    from services.container import Services
    from services.demo_talks import Talk
    from store.ledger import AttemptRow

PREFIX = "switchroom-demo-"
_SETTINGS = (
    '[discovery]\nat_start = "off"\n\n[catalog]\nrefresh = "off"\n'
    'catwalk = "none"\nmodelsdev = "none"\ngenai = "none"\nopenrouter = "none"\n'
)
"""The machine's own keys and servers have no place in the demo, and nobody on the internet is asked."""


_TOOLS = {
    "weather": [
        {
            "name": "get_weather",
            "description": "The weather of a city now.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
                "required": ["city"],
            },
            "mock": [
                {"when": {"city": "Kraków"}, "then": {"celsius": 4, "sky": "light rain until 16:00"}},
                {"when": {"city": "Gdańsk"}, "then": {"celsius": 7, "sky": "windy, dry"}},
                {"error": "No such city."},
            ],
        }
    ],
    "weather-by-hand": [{"name": "get_weather", "description": "The weather of a city now."}],
}
"""Sets of tools to try: one that answers by itself, and one whose results are typed."""


@contextmanager
def demo_home() -> Iterator[Paths]:
    """A home in a temporary folder that is removed at the end, whatever ends it."""
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    with _ended_by_exception():
        try:
            yield under(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


async def seed_demo(paths: Paths) -> None:
    """Fill a new home: providers, models, limits, ninety days of runs, conversations, an audit log. The same every time."""
    from services.container import open_services
    from services.demo_history import history
    from services.demo_talks import talks

    paths.ensure()
    paths.config_file.write_text(_SETTINGS, encoding="utf-8")
    _write_tools(paths.tools)
    now = clock.now_ms()
    past = asyncio.create_task(asyncio.to_thread(history, now))  # the screen draws meanwhile
    async with open_services(paths, actor="demo") as services:
        await _add_providers(services, now)
        spoken = talks(now)
        rows = [*await past, *(run for talk in spoken for run in talk.runs)]
        rows.sort(key=lambda row: (row.at, row.run_id, row.number))
        await _write_past(services, now, rows, spoken)


def _write_tools(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name, tools in _TOOLS.items():
        text = json.dumps(tools, ensure_ascii=False, indent=2)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


async def _add_providers(services: Services, now: int) -> None:
    from pydantic import SecretStr

    from services.demo_providers import PROVIDERS, model_list, provider_row
    from store.models import Models
    from store.providers import Providers

    for demo in PROVIDERS:
        if demo.key is not None:
            await services.credentials.store(demo.slug, SecretStr(demo.key), backend="file")
    async with services.db.transaction() as tx:
        for demo in PROVIDERS:
            reference = f"file:{demo.slug}" if demo.key is not None else None
            await Providers(services.db).insert(tx, provider_row(demo, reference, now))
            await Models(services.db).replace_live(tx, demo.slug, await model_list(demo, now))


async def _write_past(services: Services, now: int, rows: list[AttemptRow], spoken: list[Talk]) -> None:
    from services.demo_audit import limits, write_audit
    from services.demo_bills import bills
    from services.demo_catalog import catalog_runs
    from services.demo_syncs import sync_entries, sync_runs
    from services.demo_talks import write_talks
    from store.catalog_runs import CatalogRuns
    from store.conversations import Conversations
    from store.history import write_history
    from store.sync_runs import SyncRuns
    from store.vendor_usage import VendorUsage

    syncs = sync_runs(now)
    async with services.db.transaction() as tx:
        await write_history(tx, rows)
        await VendorUsage(services.db).insert(tx, bills(rows, now))
        for run in syncs:
            await SyncRuns(services.db).insert(tx, run)
        for asked in catalog_runs(now):
            await CatalogRuns(services.db).insert(tx, asked)
        await write_talks(Conversations(services.db), tx, spoken)
        await write_audit(services, tx, now, limits(now, rows), list(sync_entries(syncs)))


@contextmanager
def _ended_by_exception() -> Iterator[None]:
    """A closed terminal or a polite kill ends the block like an exception, so that it can clean up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            before[number] = signal.signal(number, _leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _sweep() -> None:
    """Remove what a demo left that was killed outright."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not process.is_alive(f"{process.host()}:{pid}:0"):
            with contextlib.suppress(OSError):
                shutil.rmtree(folder)
