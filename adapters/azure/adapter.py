"""The `azure` dialect: chat completions of Azure OpenAI, whose models are deployments with names of the user's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import ClassVar, Literal

import httpx
from pydantic import SecretStr

from adapters.azure.endpoint import resource
from adapters.azure.models import base_of, named, names_of, read_deployments, together
from adapters.azure.sign_in import is_bearer, realm_of
from adapters.base import Connection, RemoteModel, Validation
from adapters.entra import DeviceCode, Entra
from adapters.entra_tokens import EntraAuth, TokenSource
from adapters.errors import (
    BadRequestError,
    InvalidCredentialsError,
    ModelUnavailableError,
    NetworkError,
    PermissionDeniedError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitedError,
    UnexpectedResponseError,
    error_from_answer,
)
from adapters.events import ChatRequest
from adapters.fetch import Fetcher, KeyAuth, parse_json
from adapters.http_send import verdict
from adapters.http_stream import HttpStream
from adapters.openai.adapter import LIST_TIMEOUT, OpenAIAdapter
from adapters.openai.check import TIMEOUT
from catalog.plaintext import one_line

_TRIED = 8
"""Named deployments that a test looks for."""
_NOT_THERE = (404, 405, 501)


class AzureAdapter(OpenAIAdapter):
    """Implements adapters.base.Adapter, and adapters.abilities.SignsIn where `auth` is `entra`. Options:
    catalog/options.py."""

    dialect: ClassVar[str] = "azure"

    def __init__(self, connection: Connection, fetcher: Fetcher) -> None:
        options = connection.options
        self._place = resource(connection.base_url, options.get("api_version"))
        self._own = names_of(options.get("deployment"))
        if self._place.deployment is not None and self._place.deployment not in self._own:
            self._own.append(self._place.deployment)
        self._authority: Entra | None = None
        if options.get("auth") == "entra":
            self._authority = Entra(connection, realm_of(connection, self._place), fetcher)
        super().__init__(connection, fetcher)
        field = options.get("max_tokens_field") or "max_completion_tokens"
        self._habits = replace(self._habits, max_tokens_field=field)
        self._served: dict[str, str] = {}
        """Deployment → the base model that answered."""

    # the contract

    async def validate(self) -> Validation:
        """The list of base models proves the key; then an empty chat, which costs nothing, shows for each named
        deployment whether it is there (WIRE section 6)."""
        return await verdict(self._works)

    async def list_models(self) -> list[RemoteModel]:
        """The deployments: those that were named, and those that the resource lists, where it does."""
        deadline = monotonic() + LIST_TIMEOUT
        try:
            listed = read_deployments(await self._document(self._place.listing, deadline))
        except (NetworkError, ProviderTimeoutError, RateLimitedError):
            raise
        except (ProviderError, ValueError):
            await self._base_models(deadline)  # raises what is wrong with the key
            listed = []
        own = [named(name, self._served.get(name)) for name in self._own]
        return together(own, listed)

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[HttpStream]:
        async with super().stream(request) as stream:
            try:
                yield stream
            finally:
                if stream.served_model:
                    self._served[request.model] = base_of(stream.served_model)

    # signing in

    @property
    def sign_in(self) -> Literal["person", "application"] | None:
        """Who signs in; None: nobody, there is a key."""
        if self._authority is None:
            return None
        return "person" if self._connection.key is None else "application"

    async def begin_sign_in(self) -> DeviceCode:
        """A code for a person. Raises ProviderError, OfflineError."""
        assert self._authority is not None
        return await self._authority.begin()

    async def end_sign_in(self, code: DeviceCode) -> SecretStr | float:
        """What is to be kept when the person is done; else how many seconds longer to wait from now on."""
        assert self._authority is not None
        found = await self._authority.ask(code)
        return found if isinstance(found, float) else found.packed(self._authority.realm)

    # inside

    def _connect(self) -> httpx.AsyncClient:
        connection = self._connection
        if self._authority is not None:
            source = TokenSource(self._authority, connection.tokens, connection.key)
            further = KeyAuth(None, also=connection.secret_headers, slug=connection.slug)
            return self._fetcher.client(connection, auth=EntraAuth(source, further))
        if is_bearer(connection.options.get("auth"), connection.key):
            return self._fetcher.client(connection)
        return self._fetcher.client(connection, key_header="api-key", key_prefix="")

    def _url(self, call: str, model: str = "") -> str:
        """Chat completions are asked of a deployment, the rest of the resource."""
        return self._place.url(call, model if call == "chat/completions" else "")

    async def _open(self, request: ChatRequest) -> HttpStream:
        try:
            return await super()._open(request)
        except ProviderError as error:
            raise self._told(error, request.model) from None

    async def _works(self) -> str:
        deadline = monotonic() + TIMEOUT
        proven = await self._base_models(deadline)
        names = self._own[:_TRIED]
        if not names and not proven:
            raise UnexpectedResponseError(
                f"{self._origin.slug} has no list of models at this address.",
                hint="Check the URL, or name a deployment to try: --option deployment=NAME",
                provider=self._origin.slug,
                status=404,
            )
        await asyncio.gather(*(self._is_there(name, deadline) for name in names))
        what = "sign-in" if self._authority else "token" if self._bearer else "key"
        count = len(self._own)
        said = f"{count} deployment{'' if count == 1 else 's'}" if count else "No deployment is named yet"
        return f"The {what} is accepted. {said}."

    @property
    def _bearer(self) -> bool:
        return is_bearer(self._connection.options.get("auth"), self._connection.key)

    async def _base_models(self, deadline: float) -> bool:
        """Whether there is a list of what could be deployed. Raises what is wrong with the key or the address."""
        try:
            await self._document(self._url("models"), deadline)
        except ProviderError as error:
            if error.status in _NOT_THERE and not isinstance(error, InvalidCredentialsError):
                return False
            raise self._told(error, "") from None
        return True

    async def _is_there(self, name: str, deadline: float) -> None:
        """Raise unless a deployment can be asked: an empty chat is refused for its lack of messages only then."""
        body = {"model": name} if self._place.form == "v1" else {}
        request = self._client.build_request(
            "POST", self._url("chat/completions", name), json=body, headers={"accept": "application/json"}
        )
        left = max(deadline - monotonic(), 0.1)
        origin = replace(self._origin, model=name)
        status, headers, content = await self._fetcher.call(self._client, request, origin, timeout=left)
        if status >= 400:
            error = error_from_answer(origin, status, headers, content)
            if not isinstance(error, BadRequestError):
                raise self._told(error, name)

    async def _document(self, url: str, deadline: float) -> object:
        _headers, body = await self._get(url, {}, deadline)
        return parse_json(body, self._origin.slug)

    def _told(self, error: ProviderError, model: str) -> ProviderError:
        """The error with what it means at Azure, and the next step there (WIRE section 6)."""
        slug = self._origin.slug
        codes = error.said.codes if error.said is not None else ()
        if isinstance(error, ModelUnavailableError) and "deploymentnotfound" in codes and model:
            error.message = f"{slug} has no deployment named {one_line(model, 80)}."
            error.args = (error.message,)
            error.hint = (
                "Deployments have names of their own, and base models are none."
                f" Name yours: switchroom providers edit {slug} --option deployment=NAME"
            )
        elif isinstance(error, InvalidCredentialsError) and error.said is not None:
            error.hint = (
                f"Sign in again: switchroom providers login {slug}"
                if self.sign_in == "person"
                else f"Enter a new key for {slug}; each resource takes only keys of its own."
            )
        elif isinstance(error, PermissionDeniedError) and error.said is not None:
            error.hint = (
                "It takes the role “Cognitive Services OpenAI User”, and a network that the resource lets in."
            )
        return error
