"""Where the calls of an Ollama server go, however its address was pasted: `/api` is added once and never doubled."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_PORT = 11434
_DOOR = re.compile(
    r"/(?:api|v1)(?:/(?:chat|generate|tags|show|ps|pull|push|create|copy|delete|version|embed|embeddings|models"
    r"|completions|chat/completions))?$",
    re.IGNORECASE,
)


def endpoint(base_url: str, call: str) -> str:
    """The URL of `call` (`chat`, `tags`) at an address with or without `/api`, `/v1` or a call behind it.

    An address without scheme is one as OLLAMA_HOST has it: plain http, port 11434 where none is named.
    """
    text = base_url.strip()
    bare = "://" not in text
    split = urlsplit(f"http://{text}" if bare else text)
    host = split.hostname or "127.0.0.1"
    netloc = split.netloc
    if (bare and split.port is None) or host in ("0.0.0.0", "::"):  # noqa: S104  a bind address; nothing is bound here
        host = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
        port = split.port or (_PORT if bare else None)
        netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    path = _DOOR.sub("", re.sub(r"/{2,}", "/", split.path).rstrip("/"))
    return f"{split.scheme}://{netloc}{path}/api/{call}"
