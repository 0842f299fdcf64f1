"""Where a base URL's calls go, however the user pasted it: `/v1` is added once and never doubled."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_CALL = re.compile(r"/(?:messages/count_tokens|messages/batches|messages|models|complete)$", re.IGNORECASE)
_VERSION = re.compile(r"/v\d+[a-z0-9]*$", re.IGNORECASE)


def endpoint(base_url: str, call: str) -> str:
    """The URL of `call` (`messages`, `models`, `messages/count_tokens`).

    Only a version at the end counts: gateways have others in the middle of their paths. A pasted call is taken off
    first. Query and fragment are dropped.
    """
    split = urlsplit(base_url.strip())
    path = _CALL.sub("", re.sub(r"/{2,}", "/", split.path).rstrip("/"))
    if not _VERSION.search(path):
        path += "/v1"
    return f"{split.scheme}://{split.netloc}{path}/{call}"
