"""No secret leaves through words: masks known keys and everything that looks like one (WIRE section 16)."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

MASK = "[redacted]"

_KNOWN: set[str] = set()

_TELLING = 16
"""From this many characters on a secret is no word that something else may be called by."""

_PATTERNS = re.compile(
    r"""
    \b(?:sk|gsk|xai|hf|fw|pplx|r8|nvapi|csk|tgp|sk-ant|sk-or-v1|api_org)[-_][\w-]{16,}
    | \bAIza[\w-]{35} | \bAQ\.[\w.-]{20,}
    | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]* | \bya29\.[\w.-]{20,}
    | (?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34} | \b[01]\.A[\w.-]{100,} | \b[A-Za-z0-9]{52}JQQJ9[9DH][A-Za-z0-9]{21,24}
    | \b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b | \bABSK[A-Za-z0-9+/]{60,}
    | (?<=://)[^/\s:@]+:[^/\s@]+(?=@)
    | (?<=[?&]key=)[^&\s"']+ | (?<=[?&]api_key=)[^&\s"']+
    | (?<=[?&]access_token=)[^&\s"']+ | (?<=[?&]sig=)[^&\s"']+ | (?<=[?&]Signature=)[^&\s"']+
    | (?<=-Signature=)[^&\s"']+ | (?<=client_secret=)[^&\s"']+ | (?<=refresh_token=)[^&\s"']+ | (?<=device_code=)[^&\s"']+
    | (?<=[Bb]earer\ )[\w.~+/=-]{8,}
    """,
    re.VERBOSE,
)

SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "ocp-apim-subscription-key",
        "x-litellm-api-key",
        "cookie",
        "set-cookie",
    }
)


_SECRET_NAME = re.compile(
    r"(?:^|[-_. ])(?:api)?(?:key|token|secret|passw(?:or)?d|passphrase|pwd|credentials?|authorization|cookie)$"
    r"|^x-auth",
    re.IGNORECASE,
)


def secret_name(name: str) -> bool:
    """Whether a name says that a secret stands behind it: `X-Auth-Token`, `api_key`; not `max_tokens_field`."""
    return name.lower() in SECRET_HEADERS or _SECRET_NAME.search(name) is not None


def remember_secret(value: str) -> None:
    """Mask this exact value, its percent-encoded and its base64 form, from now on.

    Values under six characters are not remembered: masking them would blank ordinary text.
    """
    if len(value) < 6:
        return
    encoded = base64.b64encode(value.encode()).decode().rstrip("=")
    _KNOWN.update({value, quote(value, safe=""), encoded})


def redact(text: str) -> str:
    """The text with every known secret and every key-shaped word masked."""
    for secret in sorted(_KNOWN, key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, MASK)
    return _PATTERNS.sub(MASK, text)


def holds_secret(text: str) -> bool:
    """Whether a known secret stands in the text; short ones, as local servers take them, are ordinary words."""
    return any(len(secret) >= _TELLING and secret in text for secret in _KNOWN)
