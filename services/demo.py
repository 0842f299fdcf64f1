"""The demo: a throw-away home with scripted providers and a week of history; no key, no network, nothing left behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from pydantic import SecretStr

from services import clock, process
from services.paths import Paths, under

if TYPE_CHECKING:
    from services.container import Services
    from store.ledger import AttemptRow
    from store.providers import ProviderRow

PREFIX = "switchroom-demo-"
WEEK_MS = 7 * clock.DAY_MS
_SETTINGS = '[discovery]\nat_start = "off"\n'
"""The machine's own keys and servers have no place in the demo."""


@dataclass(frozen=True, slots=True)
class _Demo:
    """One scripted provider."""

    slug: str
    name: str
    script: str
    endpoint: str
    """Names that never resolve: nothing can be contacted by mistake."""
    default_model: str
    catalog_id: str | None
    state: str
    state_message: str | None
    key: str | None
    own: bool = False


PROVIDERS = (
    _Demo(
        "openai-prod",
        "OpenAI",
        "demo-openai",
        "https://openai.demo.invalid/v1",
        "gpt-6.1-sol",
        "openai",
        "ok",
        None,
        "demo-key-of-no-use-vX2Q",
    ),
    _Demo(
        "anthropic",
        "Anthropic",
        "demo-anthropic-ish",
        "https://anthropic.demo.invalid",
        "claude-sonnet-5-5",
        "anthropic",
        "limited",
        "Rate limited: too many requests this minute.",
        "demo-key-of-no-use-9fKw",
    ),
    _Demo(
        "homelab",
        "Home lab",
        "demo-local",
        "http://homelab.demo.invalid:8080",
        "qwen3:8b",
        "llamacpp",
        "slow",
        "The first word took 3.1 s, usually 0.3 s.",
        None,
        own=True,
    ),
)


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
    """Fill a new home: providers, models, limits, a week of runs, conversations, audit rows. The same every time."""
    from services.container import open_services
    from services.demo_content import add_conversations, add_past, conversation_runs
    from services.demo_history import history

    paths.ensure()
    paths.config_file.write_text(_SETTINGS, encoding="utf-8")
    now = clock.now_ms()
    async with open_services(paths, actor="demo") as services:
        await add_past(services, now)
        await _add_providers(services, now)
        await services.sync.sync()
        await _set_states(services, now)
        talks = await conversation_runs(services, now)
        await _write_runs(
            services, [*await history(services, now), *(row for talk in talks for row in talk.runs)]
        )
        await add_conversations(services, talks)


async def _add_providers(services: Services, now: int) -> None:
    from store.providers import Providers

    rows = [await _row(services, demo, now, number) for number, demo in enumerate(PROVIDERS)]
    async with services.db.transaction() as tx:
        for row in rows:
            await Providers(services.db).insert(tx, row)


async def _row(services: Services, demo: _Demo, now: int, number: int) -> ProviderRow:
    from store.providers import ProviderRow

    reference = None
    if demo.key is not None:
        reference = await services.credentials.store(demo.slug, SecretStr(demo.key), backend="file")
    added = now - WEEK_MS + number * 7 * clock.MINUTE_MS
    return ProviderRow(
        slug=demo.slug,
        name=demo.name,
        dialect="fake",
        catalog_id=demo.catalog_id,
        endpoint=demo.endpoint,
        key_ref=reference,
        key_last4=demo.key[-4:] if demo.key else None,
        options={"script": demo.script},
        labels={"demo": "yes"},
        cost_mode="own" if demo.own else None,
        default_model=demo.default_model,
        auto_sync="off",
        state="ok",
        state_at=added,
        last_validated_at=added,
        created_at=added,
        updated_at=added,
    )


async def _set_states(services: Services, now: int) -> None:
    """As if something had just happened to each of them."""
    from store.providers import Providers

    async with services.db.transaction() as tx:
        for demo in PROVIDERS:
            await Providers(services.db).set_state(
                tx, demo.slug, demo.state, demo.state_message, now - 40_000, demo.state == "ok"
            )


async def _write_runs(services: Services, rows: Sequence[AttemptRow]) -> None:
    from store.ledger import Ledger

    ledger = Ledger(services.db)
    async with services.db.transaction() as tx:
        for row in sorted(rows, key=lambda row: (row.at, row.number)):
            await ledger.insert(tx, row)


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
