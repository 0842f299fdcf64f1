"""What the TUI tests share: a loopback vendor, fixed providers for pictures, and waiting for what is on the screen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from textual.pilot import Pilot

from services.container import Services
from services.registry import ProviderDraft, ProviderView
from store.providers import ProviderRow
from store.sync_runs import SyncRunRow
from tui.app import SwitchroomApp

NOW = 1_763_676_000_000
"""The moment of every picture: 2025-11-20 22:00 UTC."""
KEY = "sk-canary-0123456789abcdefABCDEF"


@dataclass
class Vendor:
    """An OpenAI-dialect server on loopback. Change its fields while it runs."""

    port: int = 0
    models: list[str] = field(default_factory=lambda: ["alpha", "beta", "gamma"])
    key: str | None = None
    """None: any key, or none, will do."""
    hold: asyncio.Event | None = None
    """Answers only once it is set."""
    asked: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.asked += 1
            if self.hold is not None:
                await self.hold.wait()
            good = self.key is None or f"bearer {self.key}".lower() in head.lower()
            document: object = {
                "object": "list",
                "data": [{"id": name, "object": "model"} for name in self.models],
            }
            if not good:
                document = {"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}
            body = json.dumps(document).encode()
            writer.write(
                f"HTTP/1.1 {'200 OK' if good else '401 No'}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body
            )  # fmt: skip
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def vendor_on_loopback() -> AsyncIterator[Vendor]:
    vendor = Vendor()
    server = await asyncio.start_server(vendor.serve, "127.0.0.1", 0)
    vendor.port = server.sockets[0].getsockname()[1]
    try:
        yield vendor
    finally:
        if vendor.hold is not None:
            vendor.hold.set()
        server.close()
        await server.wait_closed()


def screen_text(app: SwitchroomApp) -> str:
    """What a person would read now, line by line."""
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)


async def until(pilot: Pilot[int], words: str, *, gone: bool = False) -> str:
    """Wait until words stand on the screen (or no longer do); the screen as text."""
    app = pilot.app
    assert isinstance(app, SwitchroomApp)
    for _ in range(400):
        await pilot.pause()
        text = screen_text(app)
        if (words in text) is not gone:
            return text
        await asyncio.sleep(0.01)
    raise AssertionError(f"{words!r} {'still' if gone else 'never'} on the screen:\n{screen_text(app)}")


async def opened(pilot: Pilot[int]) -> Services:
    """Wait until the services are open and the first table is loaded."""
    await until(pilot, "Opening", gone=True)
    app = pilot.app
    assert isinstance(app, SwitchroomApp)
    while app._services is None:  # noqa: ASYNC110  some modes say nothing while they open
        await asyncio.sleep(0.01)
    return app.services


async def type_text(pilot: Pilot[int], text: str) -> None:
    """Press the keys of a text."""
    names = {" ": "space", "/": "slash", ":": "colon", ".": "full_stop", "-": "minus", "_": "underscore"}
    await pilot.press(*(names.get(character, character) for character in text))


async def add_quietly(services: Services, slug: str, vendor: Vendor) -> ProviderView:
    """A provider of the loopback vendor, with its models."""
    view = await services.registry.add(ProviderDraft(slug=slug, url=vendor.url), None)
    await services.sync.sync([slug])
    return view


def _row(slug: str, state: str, **more: object) -> ProviderRow:
    values: dict[str, object] = {
        "slug": slug, "name": slug, "dialect": "openai", "catalog_id": "openai",
        "endpoint": "https://api.openai.com/v1", "region": None, "enabled": state != "off",
        "key_ref": None, "key_last4": None, "headers": {}, "secret_headers": {}, "options": {}, "labels": {},
        "timeout_s": None, "retries": None, "proxy": None, "ca_file": None, "allow_http": False, "tls_min": None,
        "cost_mode": None, "gpu_hour_nanos": None, "discount_pct": None, "default_model": None,
        "auto_sync": "start", "state": state, "state_message": None, "state_at": NOW,
        "last_validated_at": NOW - 3_600_000, "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return ProviderRow(**{**values, **more})  # type: ignore[arg-type]


def _sync(slug: str, minutes: int, state: str = "ok") -> SyncRunRow:
    return SyncRunRow(1, slug, NOW - minutes * 60_000, 412, state, None, None, 41, 2, 1, 0, None)


def _view(row: ProviderRow, key: str, models: tuple[int, int], sync: SyncRunRow | None, spend: str | None,
          ttft: tuple[int, int] | None, errors: float | None, runs: int) -> ProviderView:  # fmt: skip
    p50, p95 = ttft or (None, None)
    return ProviderView(
        row=row, state=row.state, state_word=row.state.replace("_", " "), key_label=key,
        models_enabled=models[0], models_total=models[1], last_sync=sync,
        spend_month=None if spend is None else Decimal(spend), ttft_p50=p50, ttft_p95=p95, error_share=errors, runs_30d=runs,
    )  # fmt: skip


def fixed_views() -> list[ProviderView]:
    """Six providers in six states, for pictures."""
    anthropic = {
        "dialect": "anthropic",
        "catalog_id": "anthropic",
        "endpoint": "https://api.anthropic.com/v1",
    }
    azure = {"dialect": "azure", "catalog_id": "azure", "endpoint": "https://contoso-eu-west.openai.azure.com/openai", "region": "westeurope"}  # fmt: skip
    local = {"catalog_id": "llamacpp", "endpoint": "http://127.0.0.1:18080/v1"}
    ollama = {"dialect": "ollama", "catalog_id": "ollama", "endpoint": "http://192.168.1.20:11434"}
    gemini = {
        "dialect": "gemini",
        "catalog_id": "gemini",
        "endpoint": "https://generativelanguage.googleapis.com/v1beta",
    }
    return [
        _view(_row("anthropic", "limited", **anthropic), "env ANTHROPIC_API_KEY", (9, 12), _sync("anthropic", 12), "17.02", (688, 2140), 0.011, 412),
        _view(_row("azure-eu", "invalid_key", **azure), "vault …9f3c", (12, 12), _sync("azure-eu", 3000, "error"), "0.004", None, 1.0, 3),
        _view(_row("gemini", "untested", **gemini), "keyring …w0Zk", (0, 0), None, None, None, None, 0),
        _view(_row("llama-local", "ok", **local), "none needed", (1, 1), _sync("llama-local", 1), None, (85, 120), 0.0, 44),
        _view(_row("ollama", "off", **ollama), "none needed", (3, 3), _sync("ollama", 9000), None, None, None, 0),
        _view(_row("openai-prod", "ok"), "keyring …vX2Q", (41, 55), _sync("openai-prod", 4), "24.18", (412, 1311), 0.002, 1733),
    ]  # fmt: skip
