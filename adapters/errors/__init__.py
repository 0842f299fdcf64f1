"""The error tree of the wire and, in one place, how a vendor's answer becomes one of it (WIRE section 11)."""

from adapters.errors.mapping import Origin, error_from_answer, error_from_body
from adapters.errors.strangers import stranger
from adapters.errors.tree import (
    BadRequestError,
    ContentFilteredError,
    ContextTooLongError,
    InvalidCredentialsError,
    ModelUnavailableError,
    NetworkError,
    NoCreditError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitedError,
    ServerError,
    StreamInterruptedError,
    UnexpectedResponseError,
)

__all__ = [
    "BadRequestError",
    "ContentFilteredError",
    "ContextTooLongError",
    "InvalidCredentialsError",
    "ModelUnavailableError",
    "NetworkError",
    "NoCreditError",
    "Origin",
    "OverloadedError",
    "PermissionDeniedError",
    "ProviderError",
    "ProviderTimeoutError",
    "RateLimitedError",
    "ServerError",
    "StreamInterruptedError",
    "UnexpectedResponseError",
    "error_from_answer",
    "error_from_body",
    "stranger",
]
