"""Where the calls of an Ollama server go, however its address was pasted: `/api` is added once and never doubled."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_DOOR = re.compile(
    r"/(?:api|v1)(?:/(?:chat|generate|tags|show|ps|pull|push|create|copy|delete|version|embed|embeddings|models"
    r"|completions|chat/completions))?$",
    re.IGNORECASE,
)


def endpoint(base_url: str, call: str) -> str:
    """The URL of `call` (`chat`, `tags`) at an address with or without `/api`, `/v1` or a call behind it."""
    split = urlsplit(base_url)
    path = _DOOR.sub("", re.sub(r"/{2,}", "/", split.path).rstrip("/"))
    return f"{split.scheme}://{split.netloc}{path}/api/{call}"
