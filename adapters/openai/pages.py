"""How a model list goes on after its first page, whatever the server calls that, and how far it is followed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl, urlsplit

from adapters.base import RemoteModel
from adapters.errors import UnexpectedResponseError
from adapters.openai.models import LISTS, entries_of, read_entries
from adapters.openai.page_json import read_json

Params = Mapping[str, str]
Ask = Callable[[Params], Awaitable[tuple[Mapping[str, str], bytes]]]
"""Asks for the page with these parameters: its headers and body. Raises ProviderError."""

MOST_PAGES = 200
MOST_MODELS = 100_000
MOST_BYTES = 128 * 1024 * 1024
_TURN = 32
"""Entries read between two turns of the event loop: two or three milliseconds, since many lists come at once."""
_TOKENS = {
    "next_page_token": "page_token",  # Cohere
    "nextPageToken": "pageToken",  # Google, Fireworks
    "next_cursor": "cursor",
    "nextCursor": "cursor",
}
"""What the body calls the next page → the parameter that asks for it."""
_LINK = re.compile(r"<([^<>]{1,2000})>\s*;[^,<]*?\brel=\"?next\"?", re.IGNORECASE)


async def whole_list(ask: Ask, slug: str) -> tuple[list[RemoteModel], Mapping[str, str]]:
    """Every page's models, each once, and the headers of the first page.

    A page that fails fails the whole list: half a list would make the other models look gone.
    """
    models: dict[str, RemoteModel] = {}
    first_headers: Mapping[str, str] = {}
    params: Params = {}
    asked: set[tuple[tuple[str, str], ...]] = set()
    size = 0
    while True:
        asked.add(tuple(sorted(params.items())))
        headers, body = await ask(params)
        size += len(body)
        if not first_headers:
            first_headers = headers
        page = await read_json(body, slug)
        fresh = await _take(page, models, slug)
        following = next_page(page, headers)
        # A server that knows no pages answers the same list again and says that there is more.
        if following is None or not fresh:
            return list(models.values()), first_headers
        params = {**params, **following}
        if tuple(sorted(params.items())) in asked:
            raise _endless(slug, "leads back to a page that was read already")
        if len(asked) >= MOST_PAGES or len(models) > MOST_MODELS or size > MOST_BYTES:
            raise _endless(slug, f"has no end: {len(models):,} models on {len(asked)} pages were read")


async def _take(page: object, models: dict[str, RemoteModel], slug: str) -> int:
    """Reads a page's entries; gives how many models are new."""
    try:
        entries = entries_of(page)
    except ValueError:
        raise UnexpectedResponseError(
            f"{slug} sent something that is not a list of models.",
            hint="Check the provider's URL and type.",
            provider=slug,
            status=200,
        ) from None
    before = len(models)
    for start in range(0, len(entries), _TURN):
        if start:
            await asyncio.sleep(0)
        for model in read_entries(entries[start : start + _TURN])[0]:
            models.setdefault(model.id, model)
    return len(models) - before


def next_page(page: object, headers: Mapping[str, str]) -> dict[str, str] | None:
    """The parameters that ask for the next page; None on the last."""
    if isinstance(page, dict):
        for name, parameter in _TOKENS.items():
            if (token := page.get(name)) and isinstance(token, (str, int)):
                return {parameter: str(token)}
        if page.get("has_more") is True and (last := _last_id(page)):
            return {"after": last}
        for link in (page.get("next"), _inside(page.get("links")), _inside(page.get("_links"))):
            if isinstance(link, str) and (found := _query(link)):
                return found
    link_header = next((value for name, value in headers.items() if name.lower() == "link"), "")
    match = _LINK.search(link_header)
    return _query(match.group(1)) if match else None


def _inside(links: object) -> object:
    link = links.get("next") if isinstance(links, dict) else None
    return link.get("href") if isinstance(link, dict) else link


def _query(link: str) -> dict[str, str] | None:
    """What a link asks for. Its address is not followed: a key goes nowhere but where the user sent it."""
    try:
        found = dict(parse_qsl(urlsplit(link).query))
    except ValueError:
        return None
    return found or None


def _last_id(page: Mapping[str, object]) -> str | None:
    """OpenAI's cursor: the id of the last entry."""
    last = page.get("last_id")
    if isinstance(last, str) and last:
        return last
    entries = next((value for name in LISTS if isinstance(value := page.get(name), list)), [])
    tail = entries[-1] if entries else None
    cursor = tail.get("id") if isinstance(tail, dict) else None
    return cursor if isinstance(cursor, str) and cursor else None


def _endless(slug: str, why: str) -> UnexpectedResponseError:
    return UnexpectedResponseError(
        f"The model list of {slug} {why}.", hint="The last good list stays.", provider=slug, status=200
    )
