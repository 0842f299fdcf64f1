"""Signing in with Entra ID: tokens are fetched once, renewed in time, kept, and what goes wrong is said in words."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from entra_server import CLIENT, DEVICE, SECRET, TENANT, USER_CODE, Authority, Clock, authority, clock
from loop_server import Exchange, serving
from pydantic import SecretStr

from adapters.abilities import SignsIn
from adapters.azure import AzureAdapter
from adapters.base import Connection
from adapters.entra import DeviceCode
from adapters.errors import (
    BadRequestError,
    InvalidCredentialsError,
    PermissionDeniedError,
    ProviderError,
    ServerError,
    UnexpectedResponseError,
)
from adapters.fetch import Fetcher
from catalog.errors import OfflineError, UsageError

__all__ = ["clock"]


class Keeper:
    """Implements adapters.base.TokenKeeper, in memory."""

    def __init__(self) -> None:
        self.text: SecretStr | None = None
        self.saved = 0

    async def load(self) -> SecretStr | None:
        return self.text

    async def save(self, text: SecretStr) -> None:
        self.text = text
        self.saved += 1


class Scene:
    """An authority and a resource that takes only its newest token."""

    def __init__(self, entra: Authority, url: str, fetcher: Fetcher) -> None:
        self.entra, self.url, self.fetcher = entra, url, fetcher
        self.keeper = Keeper()
        self.seen: list[str] = []

    def adapter(self, secret: str | None = SECRET, **options: str) -> AzureAdapter:
        given = {
            "auth": "entra", "authority": self.entra.url, "tenant": TENANT, "client_id": CLIENT, "deployment": "m", **options,
        }  # fmt: skip
        key = SecretStr(secret) if secret else None
        return AzureAdapter(
            Connection("prov", "azure", self.url, key=key, options=given, tokens=self.keeper), self.fetcher
        )

    async def signed_in(self) -> AzureAdapter:
        """A person has signed in."""
        adapter = self.adapter(None)
        found = await adapter.end_sign_in(await adapter.begin_sign_in())
        assert isinstance(found, SecretStr)
        await self.keeper.save(found)
        return adapter


@asynccontextmanager
async def staged() -> AsyncIterator[Scene]:
    async def handle(exchange: Exchange) -> None:
        token = exchange.headers["authorization"].removeprefix("Bearer ")
        scene.seen.append(token)
        if token != scene.entra.token:
            await exchange.answer(401, {"error": {"code": "401", "message": "Token is expired"}})
        elif exchange.path.endswith("/openai/v1/models"):
            await exchange.answer(200, {"data": [{"id": "gpt-4o"}]})
        elif exchange.path.startswith("/openai/deployments"):
            await exchange.answer(404, {"error": {"code": "404", "message": "Resource not found"}})
        else:
            await exchange.answer(400, {"error": {"message": "'messages' is a required property"}})

    fetcher = Fetcher()
    async with authority() as entra, serving(handle) as server:
        scene = Scene(entra, server.url, fetcher)
        try:
            yield scene
        finally:
            await fetcher.aclose()


async def test_an_application_signs_in_once_for_all_who_wait(clock: Clock) -> None:
    async with staged() as scene:
        adapter = scene.adapter()
        verdicts = await asyncio.gather(*(adapter.validate() for _ in range(5)))
        assert [v.state for v in verdicts] == ["ok"] * 5
        assert verdicts[0].message == "The sign-in is accepted. 1 deployment."
        assert scene.entra.grants() == ["client_credentials"]
        form = scene.entra.asked[0]
        assert (form["client_id"], form["scope"]) == (CLIENT, "https://ai.azure.com/.default")
        clock.seconds += 3299
        await adapter.validate()
        assert len(scene.entra.asked) == 1
        clock.seconds += 2  # five minutes before its end
        assert (await adapter.validate()).ok
        assert scene.entra.grants() == ["client_credentials"] * 2


@pytest.mark.parametrize(
    ("options", "scope"),
    [
        ({"api_version": "2024-10-21"}, "https://cognitiveservices.azure.com/.default"),
        ({"scope": "https://cognitiveservices.azure.us/.default"}, "https://cognitiveservices.azure.us/.default"),
    ],
)  # fmt: skip
async def test_the_scope_goes_by_the_form_of_the_address(
    clock: Clock, options: dict[str, str], scope: str
) -> None:
    async with staged() as scene:
        adapter = scene.adapter(**options)
        await adapter.validate()
        assert scene.entra.asked[0]["scope"] == scope


async def test_another_program_goes_on_with_the_kept_token(clock: Clock) -> None:
    async with staged() as scene:
        assert (await scene.adapter().validate()).ok
        assert scene.keeper.saved == 1
        assert (await scene.adapter().validate()).ok
        assert len(scene.entra.asked) == 1
        # a new client secret must not be proven by the old one's token
        refused = await scene.adapter("another-secret-12345678").validate()
        assert refused.state == "invalid_key"
        assert "client secret" in refused.message
        assert "another-secret-12345678" not in repr(refused.error)


async def test_a_person_signs_in_with_a_code_and_stays_signed_in(clock: Clock) -> None:
    async with staged() as scene:
        adapter = scene.adapter(None)
        assert isinstance(adapter, SignsIn)
        assert adapter.sign_in == "person"
        before = await adapter.validate()
        assert before.state == "invalid_key"
        assert before.error is not None
        assert (before.error.title, before.error.hint) == (
            "Sign-in needed",
            "Sign in: switchroom providers login prov",
        )
        scene.entra.person = ["authorization_pending", "slow_down"]
        code = await adapter.begin_sign_in()
        assert (code.user_code, code.interval) == (USER_CODE, 5.0)
        assert [await adapter.end_sign_in(code) for _ in range(2)] == [0.0, 5.0]
        found = await adapter.end_sign_in(code)
        assert isinstance(found, SecretStr)
        await scene.keeper.save(found)
        fresh = scene.adapter(None)
        assert (await fresh.validate()).ok
        clock.seconds += 4000
        assert (await fresh.validate()).ok
        assert scene.entra.grants()[-1] == "refresh_token"
        assert scene.keeper.saved == 2


async def test_a_revoked_sign_in_says_how_to_go_on(clock: Clock) -> None:
    async with staged() as scene:
        adapter = await scene.signed_in()
        scene.entra.refuses["refresh_token"] = (
            "invalid_grant AADSTS50173: The grant was revoked, a password has changed."
        )
        clock.seconds += 4000
        verdict = await adapter.validate()
        assert verdict.state == "invalid_key"
        error = cast("InvalidCredentialsError", verdict.error)
        assert error.title == "Sign in again"
        assert error.hint == "Sign in again: switchroom providers login prov"
        assert "a password has changed" in error.message
        assert "Trace ID" not in error.message


async def test_an_authority_out_of_reach_does_not_stop_a_token_that_still_holds(clock: Clock) -> None:
    async with staged() as scene:
        adapter = await scene.signed_in()
        await adapter.validate()
        clock.seconds += 3400
        scene.entra.broken = 99
        assert (await adapter.validate()).ok
        clock.seconds += 300
        late = await adapter.validate()
        assert late.state in ("error", "limited")
        assert late.error is not None


async def test_a_token_that_is_refused_is_replaced_once(clock: Clock) -> None:
    async with staged() as scene:
        adapter = await scene.signed_in()
        assert (await adapter.validate()).ok
        scene.entra.issued.append("eyJcanary.revoked-by.elsewhere")  # the resource takes another one now
        clock.seconds += 120
        assert (await adapter.validate()).ok
        scene.entra.issued.append("eyJcanary.revoked-by.again")
        asked = len(scene.entra.asked)
        assert (await adapter.validate()).state == "invalid_key"  # brand new and refused: not asked again
        assert len(scene.entra.asked) == asked


async def test_a_sign_in_elsewhere_helps_here_too(clock: Clock) -> None:
    async with staged() as scene:
        here = await scene.signed_in()
        assert (await here.validate()).ok
        scene.entra.refuses["refresh_token"] = "invalid_grant AADSTS50173: The grant was revoked."
        clock.seconds += 4000
        assert (await here.validate()).state == "invalid_key"
        await scene.signed_in()  # in another program, which keeps its tokens in the same place
        assert (await here.validate()).ok


async def test_a_refusal_without_end_is_left_for_the_next_try(clock: Clock) -> None:
    tried: list[str] = []

    async def handle(exchange: Exchange) -> None:
        tried.append(exchange.headers["authorization"])
        await exchange.begin(401)
        with contextlib.suppress(ConnectionError):
            while True:
                await exchange.send(b" " * 65_536)

    fetcher = Fetcher()
    async with authority() as entra, serving(handle) as server:
        adapter = await Scene(entra, server.url, fetcher).signed_in()
        async with asyncio.timeout(3):
            assert (await adapter.validate()).state == "invalid_key"
        assert len(set(tried)) == 2, "another token was tried"
        await fetcher.aclose()


@pytest.mark.parametrize(
    ("grant", "said", "kind", "words"),
    [
        ("device_code", "authorization_declined", PermissionDeniedError, "was declined"),
        ("device_code", "access_denied", PermissionDeniedError, "was declined"),
        ("device_code", "expired_token", InvalidCredentialsError, "was not used in time"),
        ("device_code", "invalid_client AADSTS7000218: needs a secret", InvalidCredentialsError, "needs a secret"),
        ("device_code", "invalid_request AADSTS90002: Tenant not found", BadRequestError, "Tenant not found"),
        ("device_code", "server_error oops", ServerError, "oops"),
        ("device_code", "something_new AADSTS1: odd", PermissionDeniedError, "odd"),
    ],
)  # fmt: skip
async def test_what_the_authority_refuses_is_said_in_words(
    clock: Clock, grant: str, said: str, kind: type[ProviderError], words: str
) -> None:
    async with staged() as scene:
        scene.entra.refuses[grant] = said
        adapter = scene.adapter(None)
        code = await adapter.begin_sign_in()
        with pytest.raises(kind, match=words) as caught:
            await adapter.end_sign_in(code)
        assert type(caught.value) is kind
        assert DEVICE not in f"{caught.value!r} {caught.value.hint} {code!r}"


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"device_code": 5}', b'{"device_code":"d","user_code":"u","verification_uri":"javascript:1"}',
     '{"device_code":"dé","user_code":"u","verification_uri":"https://x"}'.encode(),
     b'{"device_code":"d","user_code":"u","verification_uri":"http://127.0.0.1.evil.example/device"}',
     b'{"device_code":"d","user_code":"u","verification_uri":"https://"}'],
)  # fmt: skip
async def test_answers_that_are_none_of_entras(clock: Clock, body: bytes) -> None:
    async def odd(exchange: Exchange) -> None:
        await exchange.answer(200, body)

    fetcher = Fetcher()
    async with serving(odd) as server:
        options = {"auth": "entra", "authority": server.url}
        adapter = AzureAdapter(Connection("prov", "azure", server.url, options=options), fetcher)
        with pytest.raises(UnexpectedResponseError, match="none of Entra ID's"):
            await adapter.begin_sign_in()
        await fetcher.aclose()


async def test_absurd_times_are_the_usual_ones(clock: Clock) -> None:
    async def odd(exchange: Exchange) -> None:
        absurd = b'{"device_code":"dev-code","user_code":"u","verification_uri":"https://x.example","expires_in":1%s,"interval":NaN}'
        await exchange.answer(200, absurd % (b"0" * 400))

    fetcher = Fetcher()
    async with serving(odd) as server:
        options = {"auth": "entra", "authority": server.url}
        adapter = AzureAdapter(Connection("prov", "azure", server.url, options=options), fetcher)
        code = await adapter.begin_sign_in()
        assert (code.expires_at, code.interval) == (clock.seconds + 900, 5.0)
        await fetcher.aclose()


async def test_nothing_is_asked_offline_or_of_a_plain_public_authority(clock: Clock) -> None:
    def closed(host: str) -> None:
        raise OfflineError(f"{host} is out of reach.")

    fetcher = Fetcher(closed)
    adapter = AzureAdapter(
        Connection("prov", "azure", "http://127.0.0.1:9", options={"auth": "entra"}), fetcher
    )
    assert (await adapter.validate()).state in ("offline", "invalid_key")
    with pytest.raises(OfflineError, match=r"login\.microsoftonline\.com"):
        await adapter.begin_sign_in()
    plain = {"auth": "entra", "authority": "http://login.example.com"}
    with pytest.raises(UsageError, match="unprotected"):
        await AzureAdapter(
            Connection("prov", "azure", "https://r.openai.azure.com", options=plain), fetcher
        ).begin_sign_in()
    await fetcher.aclose()


def test_an_application_needs_its_tenant_and_id() -> None:
    connection = Connection(
        "prov", "azure", "https://r.openai.azure.com", key=SecretStr(SECRET), options={"auth": "entra"}
    )
    with pytest.raises(UsageError, match="needs the option tenant"):
        AzureAdapter(connection, Fetcher())


async def test_no_secret_is_ever_shown(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with staged() as scene:
        app = scene.adapter()
        await app.validate()
        person = await scene.signed_in()
        await person.validate()
        code = await person.begin_sign_in()
        shown = f"{caplog.text} {vars(app)!r} {vars(person)!r} {code!r} {scene.keeper.text!r}"
        assert "oauth2/v2.0/token" in caplog.text
        for secret in (SECRET, DEVICE, USER_CODE, "canary-refresh", *scene.entra.issued):
            assert secret not in shown.replace(code.user_code if secret == USER_CODE else "\0", "")
    assert isinstance(code, DeviceCode)
