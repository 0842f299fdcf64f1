"""Servers that throw every secret back: nothing of it is shown, logged, recorded, exported or left in a file."""

from __future__ import annotations

import base64
import logging
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr

sys.path.append(str(Path(__file__).parents[1] / "adapters"))

from loop_server import Exchange, serving

from adapters.base import Connection
from adapters.errors import ProviderError
from adapters.events import Message
from adapters.fetch import Fetcher
from catalog.errors import SwitchroomError
from services import hub
from services.admin_keys import account_reporter, set_admin_key
from services.container import Services
from services.drafts import EnvKey, ProviderDraft
from services.run_events import RunRequest
from services.tasks import translation

KEY = "canaryKeyNobodyMaySee0123456789"
"""Of no known shape: only that it was used tells that it is one."""
ADMIN = "canaryAdminKeyNobodyMaySee98765"


async def echo(exchange: Exchange) -> None:
    """A refusal that holds what it was sent, in every place where a vendor puts words."""
    sent = " ".join(
        value.removeprefix("Bearer ")
        for name, value in exchange.headers.items()
        if "auth" in name or "key" in name
    )
    body = exchange.body.decode("utf-8", "replace")
    told = f"bad key {sent} / {quote(sent, safe='')} / {base64.b64encode(sent.encode()).decode()} in {body}"
    await exchange.answer(
        400,
        {"error": {"message": told, "code": sent, "type": sent, "status": sent, "details": [{"@type": "type.googleapis.com/google.rpc.DebugInfo", "detail": told}]}, "error_description": told},
        x_error_message=told, x_error_code=sent, x_request_id=sent, www_authenticate=f"Bearer {sent}",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("dialect", "options"),
    [
        ("anthropic", {}), ("gemini", {}), ("ollama", {}), ("azure", {"deployment": "m"}), ("openrouter", {}),
        ("openai", {"api": "responses", "account": "openai"}), ("huggingface", {"hub": "URL"}),
        ("azure", {"auth": "entra", "authority": "URL", "tenant": "t", "client_id": "c", "deployment": "m"}),
    ],
    ids=["anthropic", "gemini", "ollama", "azure", "openrouter", "responses", "huggingface", "entra"],
)  # fmt: skip
async def test_a_secret_that_comes_back_is_nowhere(
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    dialect: str,
    options: dict[str, str],
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "aiosqlite")  # what it says is in the database, which is looked into
    monkeypatch.setenv("ECHO_KEY", KEY)
    monkeypatch.setenv("ECHO_ADMIN", ADMIN)
    shown: list[str] = []

    async def tried(work: Callable[[], Awaitable[object]]) -> None:
        try:
            shown.append(repr(await work()))
        except SwitchroomError as error:
            shown.extend([repr(error), str(error), repr(error.as_dict())])

    async with serving(echo) as server:
        options = {name: server.url if value == "URL" else value for name, value in options.items()}
        draft = ProviderDraft(slug="p", type=dialect, url=server.url, options=options)
        await services.registry.add(draft, EnvKey("ECHO_KEY"), test=False)
        await tried(lambda: services.registry.test("p"))
        await tried(lambda: services.sync.sync(["p"]))
        request = RunRequest(model="p/m", messages=(Message("user", "hi"),), caller="cli", allow_unpriced=True, retries=0)  # fmt: skip
        await tried(lambda: services.runs.start(request).result())
        if dialect == "huggingface":
            await tried(lambda: hub.search(services, "p", "whisper"))
            task = translation("p/m", "hi", None, None, caller="cli", allow_unpriced=True, retries=0)
            await tried(lambda: services.runs.start(task).result())
        if options.get("account"):
            await tried(lambda: set_admin_key(services, "p", EnvKey("ECHO_ADMIN")))
        exported = await services.transfer.export()
        await services.audit.export(services.paths.data / "audit.jsonl")
    assert server.requests, "it was asked"
    sent = repr([(one.headers, one.body) for one in server.requests])
    assert KEY in sent or quote(KEY) in sent
    text = "\n".join([*shown, caplog.text, repr(exported)])
    files = [path.read_bytes() for path in services.paths.data.parent.rglob("*") if path.is_file()]
    for secret in (KEY, ADMIN):
        for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("=")):
            assert form not in text
            assert not any(form.encode() in content for content in files)


async def test_an_answer_that_calls_itself_by_the_key(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECHO_KEY", KEY)

    async def named(exchange: Exchange) -> None:
        choice = {"message": {"content": "hi"}, "finish_reason": KEY}
        await exchange.answer(200, {"id": KEY, "model": KEY, "provider": KEY, "choices": [choice]})

    async with serving(named) as server:
        draft = ProviderDraft(slug="p", type="openrouter", url=server.url)
        await services.registry.add(draft, EnvKey("ECHO_KEY"), test=False)
        request = RunRequest(model="p/m", messages=(Message("user", "hi"),), caller="cli", allow_unpriced=True, stream=False)  # fmt: skip
        result = await services.runs.start(request).result()
    assert result.text == "hi"
    assert KEY not in repr(result)
    for file in services.paths.data.parent.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file


async def test_a_client_secret_goes_to_no_account_api(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECHO_KEY", KEY)
    given: list[Connection] = []
    monkeypatch.setattr(
        "adapters.account.reporter", lambda _way, connection, *_more: given.append(connection)
    )
    options = {"auth": "entra", "tenant": "t", "client_id": "c", "account": "litellm"}
    for slug, said in (("app", options), ("keyed", {"account": "litellm"})):
        draft = ProviderDraft(slug=slug, type="azure", url="https://r.openai.azure.com", options=said)
        await services.registry.add(draft, EnvKey("ECHO_KEY"), test=False)
        await account_reporter(services, await services.registry.row(slug), SecretStr(KEY), None)
    assert [connection.key is None for connection in given] == [True, False]


def test_nobody_prints_what_carries_a_secret() -> None:
    """What a traceback with its variables would show."""
    from adapters.azure import AzureAdapter

    options = {"auth": "entra", "tenant": "t", "client_id": "c"}
    connection = Connection("p", "azure", "https://r.openai.azure.com", key=SecretStr(KEY), proxy=SecretStr(f"http://u:{ADMIN}@h"), options=options)  # fmt: skip
    adapter = AzureAdapter(connection, Fetcher())
    for thing in (
        connection,
        adapter,
        vars(adapter),
        vars(adapter._client),
        ProviderError("x", provider="p"),
    ):
        assert KEY not in repr(thing)
        assert ADMIN not in repr(thing)
