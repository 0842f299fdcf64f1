"""Loopback copies of the vendors' account APIs, built from their documents: pages, keys that are refused, days at UTC."""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ADMIN = "sk-admin-canary-7777777777777777"
KEY = "sk-canary-inference-555555555555"
Json = dict[str, Any]
Connect = Callable[..., Awaitable[str]]
"""Adds a provider of a vendor; its slug."""


def days_since(start: datetime, count: int) -> list[datetime]:
    first = start.replace(hour=0, minute=0, second=0, microsecond=0)
    return [first + timedelta(days=day) for day in range(count)]


@dataclass
class Accounts:
    """One server that is every vendor. Its fields say what it answers."""

    usage: dict[str, Json] = field(
        default_factory=lambda: {
            "gpt-x": {
                "input_tokens": 1000,
                "input_cached_tokens": 400,
                "output_tokens": 50,
                "num_model_requests": 3,
            }
        }
    )
    """Model → the result of one day."""
    amounts: dict[str, Any] = field(default_factory=lambda: {"gpt-x, input": 0.0601, "gpt-x, output": "0.1"})
    """Line item → dollars of one day."""
    page_days: int = 31
    """Buckets on a page."""
    cut_after: int | None = None
    """So many pages, then one that says there is more and not where."""
    answer: tuple[int, object] | None = None
    """Given to everything."""
    slow_paths: dict[str, tuple[int, object]] = field(default_factory=dict)
    """Path ending → (status, body) given instead."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    asked: list[tuple[str, Json, dict[str, str]]] = field(default_factory=list)
    """Path, query and headers, in order."""
    limits: Json = field(
        default_factory=lambda: {
            "object": "list",
            "data": [{"model": "gpt-x", "max_requests_per_1_minute": 500, "max_tokens_per_1_minute": 30000}],
            "has_more": False,
        }
    )

    def say(self, path: str, query: Json, headers: dict[str, str]) -> tuple[int, object]:
        if self.answer is not None:
            return self.answer
        for end, given in self.slow_paths.items():
            if path.endswith(end):
                return given
        if path.startswith("/v1/organization/"):
            return self.openai(path.removeprefix("/v1/organization/"), query, headers)
        if path.startswith("/v1/organizations/"):
            return self.anthropic(path.removeprefix("/v1/organizations/"), query, headers)
        return self.keyed(path, headers)

    # OpenAI

    def openai(self, call: str, query: Json, headers: dict[str, str]) -> tuple[int, object]:
        if headers.get("authorization") != f"Bearer {ADMIN}":
            return 403, {
                "error": {
                    "message": "You have insufficient permissions for this operation.",
                    "type": "invalid_request_error",
                    "code": None,
                }
            }
        if call == "spend_limit":
            return 200, {
                "object": "organization.spend_limit",
                "threshold_amount": 10050,
                "currency": "USD",
                "interval": "month",
                "enforcement": {"status": "inactive"},
            }
        if call == "projects":
            return 200, {"object": "list", "data": [{"id": "proj_1"}], "has_more": False}
        if call == "projects/proj_1/rate_limits":
            return 200, self.limits
        start = datetime.fromtimestamp(int(query["start_time"]), UTC)
        if call == "costs":
            results = [
                {
                    "object": "organization.costs.result",
                    "line_item": item,
                    "amount": {"value": amount, "currency": "usd"},
                }
                for item, amount in self.amounts.items()
            ]
        elif call == "usage/completions":
            results = [
                {"object": "organization.usage.completions.result", "model": model, **said}
                for model, said in self.usage.items()
            ]
        elif call == "usage/embeddings":
            results = []
        else:
            return 404, {"error": {"message": "Unknown"}}
        return self.paged(
            start,
            query,
            lambda day: {
                "object": "bucket",
                "start_time": int(day.timestamp()),
                "end_time": int((day + timedelta(days=1)).timestamp()),
                "results": results,
            },
        )

    # Anthropic

    def anthropic(self, call: str, query: Json, headers: dict[str, str]) -> tuple[int, object]:
        if headers.get("x-api-key") != ADMIN or "authorization" in headers:
            return 401, {
                "type": "error",
                "error": {"type": "authentication_error", "message": "invalid x-api-key"},
            }
        if not headers.get("anthropic-version"):
            return 400, {
                "type": "error",
                "error": {
                    "type": "invalid_request_error",
                    "message": "anthropic-version: header is required",
                },
            }
        start = datetime.fromisoformat(query["starting_at"])
        if call == "usage_report/messages":
            results: list[Json] = [
                {
                    "model": "claude-x",
                    "uncached_input_tokens": 100,
                    "cache_read_input_tokens": 30,
                    "cache_creation": {"ephemeral_1h_input_tokens": 5, "ephemeral_5m_input_tokens": 7},
                    "output_tokens": 20,
                }
            ]
        else:
            results = [
                {
                    "currency": "USD",
                    "amount": "123.45",
                    "description": "Claude X Usage - Input Tokens",
                    "model": "claude-x",
                    "token_type": "uncached_input_tokens",
                },
                {
                    "currency": "USD",
                    "amount": "0.5",
                    "description": "Claude X Usage - Input Tokens",
                    "model": "claude-x",
                    "token_type": "uncached_input_tokens",
                    "context_window": "200k-1M",
                },
            ]
        return self.paged(
            start,
            query,
            lambda day: {
                "starting_at": day.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "ending_at": (day + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "results": results,
            },
        )

    def paged(self, start: datetime, query: Json, bucket: Any) -> tuple[int, object]:
        days = days_since(start, (self.now - start).days + 1)
        first = int(query.get("page", "page_0").removeprefix("page_"))
        more = first + self.page_days < len(days)
        body: Json = {
            "object": "page",
            "data": [bucket(day) for day in days[first : first + self.page_days]],
            "has_more": more,
            "next_page": f"page_{first + self.page_days}" if more else None,
        }
        if self.cut_after is not None and first >= self.cut_after * self.page_days:
            body |= {"has_more": True, "next_page": None}
        return 200, body

    # those with the usual key

    def keyed(self, path: str, headers: dict[str, str]) -> tuple[int, object]:
        bearer = headers.get("authorization", "")
        if path in ("/api/v1/credits", "/api/v1/activity"):
            if bearer != f"Bearer {ADMIN}":
                return 403, {
                    "error": {"code": 403, "message": "Only management keys can perform this operation"}
                }
            if path.endswith("credits"):
                return 200, {"data": {"total_credits": 25.5, "total_usage": 5.25}}
            day = (self.now - timedelta(days=1)).strftime("%Y-%m-%d")
            shared = {
                "date": day,
                "model": "openai/gpt-x",
                "requests": 2,
                "prompt_tokens": 40,
                "completion_tokens": 8,
            }
            return 200, {
                "data": [
                    {**shared, "provider_name": "OpenAI", "usage": 0.015, "endpoint_id": "a"},
                    {**shared, "provider_name": "OpenAI", "usage": 0.005, "endpoint_id": "b"},
                ]
            }
        if bearer != f"Bearer {KEY}":
            return 401, {"error": {"message": "No auth credentials found", "code": 401}}
        if path == "/api/v1/key":
            return 200, {
                "data": {
                    "label": "sk-or-v1-…",
                    "usage": 1.25,
                    "usage_monthly": 0.5,
                    "limit": None,
                    "limit_remaining": None,
                    "is_free_tier": False,
                }
            }
        if path == "/user/balance":
            return 200, {
                "is_available": True,
                "balance_infos": [
                    {
                        "currency": "CNY",
                        "total_balance": "110.00",
                        "granted_balance": "10.00",
                        "topped_up_balance": "100.00",
                    },
                    {
                        "currency": "USD",
                        "total_balance": "3.10",
                        "granted_balance": "0.00",
                        "topped_up_balance": "3.10",
                    },
                ],
            }
        if path == "/key/info":
            return 200, {
                "key": "hashed",
                "info": {
                    "spend": 0.0123,
                    "max_budget": 10.0,
                    "budget_duration": "30d",
                    "rpm_limit": 60,
                    "tpm_limit": None,
                },
            }
        if path == "/api/whoami-v2":
            return 200, {
                "type": "user",
                "name": "ann",
                "isPro": True,
                "canPay": True,
                "periodEnd": 1796083200,
            }
        return 404, {"error": {"message": "not found"}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        accounts, split = self.server.accounts, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        accounts.asked.append((split.path, query, headers))
        status, body = accounts.say(split.path, query, headers)
        kind = "text/html" if isinstance(body, str) else "application/json"
        raw = (
            body
            if isinstance(body, bytes)
            else body.encode()
            if isinstance(body, str)
            else json.dumps(body).encode()
        )
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, accounts: Accounts) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.accounts = accounts


@contextmanager
def serving(accounts: Accounts) -> Iterator[str]:
    """The server in a thread of its own; its address."""
    server = _Server(accounts)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def broken() -> dict[str, tuple[int, object]]:
    """Answers that no account API should give, by name."""
    return {
        "html": (200, "<!doctype html><title>Sign in</title>"),
        "cut": (200, b'{"object": "page", "data": [{"start_time": 1'),
        "not_json": (200, b"\xff\xfe\x00"),
        "list": (200, [1, 2]),
        "wrong_types": (200, {"data": "x", "balance_infos": 7, "info": 1}),
        "nan": (200, b'{"data": [], "info": {"spend": NaN}, "balance_infos": [], "has_more": false}'),
        "deep": (200, b'{"data":' + b"[" * 100_000),
        "digits": (200, json.dumps({"data": [], "x": 1}).encode().replace(b"1", b"9" * 10_000)),
    }
