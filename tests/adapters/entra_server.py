"""A loopback Entra ID: the token endpoint and device codes, scripted, with a clock that a test turns."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import pytest
from loop_server import Exchange, LoopServer, serving

from adapters import entra

TENANT = "contoso.example"
CLIENT = "11111111-2222-3333-4444-555555555555"
SECRET = "Xq8~canary-client-secret-4fT9zLw"
DEVICE = "GAQABIQEAAACanaryDeviceCodeThatNobodySees"
USER_CODE = "H8VKTQ2LD"


@dataclass
class Clock:
    """Unix seconds that stand still."""

    seconds: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Authority:
    """What the authority answers, and what it was asked."""

    server: LoopServer
    tenant: str
    interval: int = 5
    """Seconds between two questions, as a program is told."""
    lasts: int = 3600
    """Seconds that a token lives."""
    person: list[str] = field(default_factory=list)
    """What is said, one a question, before the person is done."""
    refuses: dict[str, str] = field(default_factory=dict)
    """Grant → `error AADSTS…` that it ends in from now on."""
    broken: int = 0
    """How many further requests fail with 503."""
    asked: list[dict[str, str]] = field(default_factory=list)
    """The forms that came."""
    issued: list[str] = field(default_factory=list)
    """Access tokens, in order."""

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def token(self) -> str:
        """The newest."""
        return self.issued[-1]

    def grants(self) -> list[str]:
        return [form.get("grant_type", "devicecode").rpartition(":")[2] for form in self.asked]

    async def answer(self, exchange: Exchange) -> None:
        assert exchange.method == "POST"
        assert "authorization" not in exchange.headers
        assert "api-key" not in exchange.headers
        form = {name: values[0] for name, values in parse_qs(exchange.body.decode()).items()}
        self.asked.append(form)
        if self.broken:
            self.broken -= 1
            await exchange.answer(503, "busy")
        elif exchange.path == f"/{self.tenant}/oauth2/v2.0/devicecode":
            assert form["scope"].endswith("/.default offline_access")
            code = {"device_code": DEVICE, "user_code": USER_CODE, "verification_uri": f"{self.url}/device"}
            await exchange.answer(
                200, {**code, "expires_in": 900, "interval": self.interval, "message": "To sign in …"}
            )
        elif exchange.path == f"/{self.tenant}/oauth2/v2.0/token":
            await self._token(exchange, form)
        else:
            await exchange.answer(404, "<html>nothing here</html>")

    async def _token(self, exchange: Exchange, form: dict[str, str]) -> None:
        grant = form["grant_type"].rpartition(":")[2]
        if grant in self.refuses:
            kind, _, said = self.refuses[grant].partition(" ")
            await _refuse(exchange, kind, said)
            return
        if grant == "client_credentials":
            assert form["scope"].endswith("/.default")
            if (given := form["client_secret"]) != SECRET:
                said = f"AADSTS7000215: Invalid client secret {given} provided."
                await _refuse(exchange, "invalid_client", said)
                return
        elif grant == "device_code":
            assert form["device_code"] == DEVICE
            if self.person:
                await _refuse(exchange, self.person.pop(0), "AADSTS70016: pending")
                return
        else:
            assert grant == "refresh_token"
            assert form["refresh_token"].startswith("canary-refresh-")
        self.issued.append(f"eyJcanary.token-number.{len(self.issued) + 1}-{self.tenant}")
        gives: dict[str, object] = {
            "token_type": "Bearer",
            "expires_in": self.lasts,
            "access_token": self.token,
        }
        if grant != "client_credentials":
            gives["refresh_token"] = f"canary-refresh-{len(self.issued)}-0a9s8d7f"
        await exchange.answer(200, gives)


async def _refuse(exchange: Exchange, kind: str, said: str) -> None:
    body = {"error": kind, "error_description": f"{said} Trace ID: 0000 Timestamp: now", "error_codes": [1]}
    await exchange.answer(400, json.dumps(body), content_type="application/json")


@asynccontextmanager
async def authority(tenant: str = TENANT) -> AsyncIterator[Authority]:
    async with serving(lambda exchange: here.answer(exchange)) as server:
        here = Authority(server, tenant)
        yield here


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(entra, "now", found)
    return found
