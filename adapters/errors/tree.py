"""The error tree of the wire: one class for each thing a person would do about it."""

from __future__ import annotations

from typing import ClassVar

from adapters.errors.bodies import Said
from catalog.errors import SwitchroomError


class ProviderError(SwitchroomError):
    """What a vendor, or the way to it, did wrong."""

    retryable: bool = False
    """True when the same request may succeed later on the same provider; a vendor's own word overrides the class."""
    state: ClassVar[str] = "error"
    """The provider state it leaves behind (adapters.base.ProviderState)."""

    def __init__(
        self,
        message: str,
        *,
        title: str | None = None,
        hint: str | None = None,
        provider: str | None = None,
        status: int | None = None,
        retry_after_ms: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, title=title, hint=hint, provider=provider, status=status)
        self.retry_after_ms = retry_after_ms
        """How long the vendor asks to wait; None when it does not say."""
        self.request_id = request_id
        self.said: Said | None = None
        """What the answer's body said, unredacted, for the adapter's own repair: never shown. None: no answer."""


class InvalidCredentialsError(ProviderError):
    """The key is wrong, expired or revoked."""

    code = "invalid_credentials"
    default_title = "Invalid key"
    state = "invalid_key"


class PermissionDeniedError(ProviderError):
    """The key is good but may not do this."""

    code = "permission"
    default_title = "Not permitted"
    state = "no_permission"


class NoCreditError(ProviderError):
    """Credit or a final quota is used up: waiting does not help."""

    code = "no_credit"
    default_title = "No credit"
    state = "no_credit"


class RateLimitedError(ProviderError):
    """Too many requests or tokens for now, or the vendor is overloaded: wait and try again."""

    code = "rate_limited"
    default_title = "Rate limited"
    retryable = True
    state = "limited"


class OverloadedError(RateLimitedError):
    """The vendor is out of capacity (503, 529)."""

    default_title = "Overloaded"


class ModelUnavailableError(ProviderError):
    """The vendor does not know or no longer serves the model."""

    code = "model_unavailable"
    default_title = "Model unavailable"
    state = "ok"


class ContextTooLongError(ProviderError):
    """The prompt does not fit the model's context window."""

    code = "context_too_long"
    default_title = "Too long"
    state = "ok"


class ContentFilteredError(ProviderError):
    """The vendor's content filter refused the request."""

    code = "content_filtered"
    default_title = "Content filtered"
    state = "ok"


class BadRequestError(ProviderError):
    """The vendor refuses the request as it is."""

    code = "bad_request"
    default_title = "Refused by the provider"
    state = "ok"


class NetworkError(ProviderError):
    """No connection, TLS refused, or the connection broke."""

    code = "network"
    default_title = "Can't reach the provider"
    retryable = True
    state = "unreachable"


class ProviderTimeoutError(ProviderError):
    """Nothing came in time."""

    code = "timeout"
    default_title = "Timed out"
    retryable = True
    state = "unreachable"


class ServerError(ProviderError):
    """The vendor failed (5xx)."""

    code = "unexpected_response"
    default_title = "The provider failed"
    retryable = True


class UnexpectedResponseError(ProviderError):
    """An answer that is not the dialect: HTML, broken JSON, a wrong shape."""

    code = "unexpected_response"
    default_title = "Unexpected response"


class StreamInterruptedError(ProviderError):
    """The stream ended before the vendor said it was done."""

    code = "interrupted"
    default_title = "Interrupted"
    retryable = True
    state = "unreachable"
