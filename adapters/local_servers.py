"""What answers at an address of one's own: told by its answers, never by its port, in under a second, and sent no key."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from adapters.base import Connection, Watchdogs
from adapters.errors import NetworkError, Origin
from catalog.detect import normalise_base_url
from catalog.discoverable import LocalServer, Probe, local_servers
from catalog.errors import SwitchroomError
from catalog.plaintext import one_line

if TYPE_CHECKING:
    import httpx

    from adapters.fetch import Fetcher

IN_ALL = 0.9
"""Seconds for all addresses together."""
ONE = 0.8
"""Seconds for one answer."""
BODY = 256 * 1024
"""Bytes of an answer that are read."""
PORTS = (9931,)
"""Further ports to look at beside the usual ones of the facts: llama.cpp's other one."""
_AT_ONCE = 4
"""Questions to one server at the same time."""
_LIST = "/v1/models"
_NOWHERE = "/no-such-path"
"""Who answers this, answers anything: only what stands in its list of models tells then who it is."""
_NAMES = re.compile(r"^(http://)(?:localhost|\[::1\])(:\d+)$")
"""Further names of 127.0.0.1."""
_PLAIN = frozenset({"version", "models", "data"})
"""Names that many servers' answers have."""
_TITLES = {
    "ollama": "Ollama", "lmstudio": "LM Studio", "vllm": "vLLM", "llamacpp": "llama.cpp server", "sglang": "SGLang",
    "tgi": "Text Generation Inference", "localai": "LocalAI", "koboldcpp": "KoboldCpp",
    "text-generation-webui": "text-generation-webui", "litellm-proxy": "LiteLLM proxy", "open-webui": "Open WebUI",
}  # fmt: skip
_BARE = {"litellm-proxy": "alive"}
"""Servers whose probe names nothing that the answer holds → what it is known to say."""


@dataclass(frozen=True, slots=True)
class ServerFound:
    """A server that answered as one of the known ones does."""

    server: str
    """The id of the facts (`llamacpp`); `openai` for one that only its dialect is known of."""
    title: str
    """As it is shown."""
    vendor: str | None
    """The vendor of the catalog that stands for it."""
    root: str
    """Scheme, host and port."""
    list_path: str
    """Where it lists its models."""
    models: tuple[str, ...]
    """The first ids it lists."""
    proof: str
    """What told it: `/props`."""
    wants_key: bool = False
    """It lists its models only to those with a key."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    text: str
    document: object
    """None where the answer is no JSON."""


async def look_around(
    fetcher: Fetcher, more: Iterable[str] = (), ports: Iterable[int] | None = None
) -> list[ServerFound]:
    """The servers on this machine, at the usual ports and at `more` addresses, in the order of the facts.

    What has not answered after a second is left out.
    """
    usual = [server.port for server in local_servers()]
    numbers = dict.fromkeys([*usual, *PORTS] if ports is None else ports)
    roots: dict[str, str] = {}
    for root in (*(f"http://127.0.0.1:{port}" for port in numbers), *map(_root, more)):
        roots.setdefault(_NAMES.sub(r"\g<1>127.0.0.1\2", root), root)
    tasks = [asyncio.create_task(_either(fetcher, root)) for root in roots.values()]
    if not tasks:
        return []
    try:
        await asyncio.wait(tasks, timeout=IN_ALL)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    done = [task for task in tasks if not task.cancelled() and task.exception() is None]
    return [found for task in done if (found := task.result()) is not None]


async def _either(fetcher: Fetcher, root: str) -> ServerFound | None:
    """Who is at an address; where nobody is at 127.0.0.1, at ::1, the only one that some servers listen on."""
    for place in dict.fromkeys((root, root.replace("//127.0.0.1:", "//[::1]:"))):
        try:
            return await _ask(fetcher, place, _candidates(place))
        except NetworkError:
            continue
    return None


async def identify(fetcher: Fetcher, url: str, *, allow_http: bool = False) -> ServerFound | None:
    """Which server is at an address; None where it tells nothing, or not in time."""
    root = _root(url)
    try:
        async with asyncio.timeout(IN_ALL):
            return await _ask(fetcher, root, local_servers(), allow_http=allow_http)
    except (TimeoutError, SwitchroomError):
        return None


def _candidates(root: str) -> tuple[LocalServer, ...]:
    """Whom to ask for at an address: those that usually have this port, since whoever is there hears every question."""
    port = urlsplit(root).port
    usual = tuple(server for server in local_servers() if server.port == port)
    return usual or local_servers()


async def _ask(
    fetcher: Fetcher, root: str, candidates: Sequence[LocalServer], *, allow_http: bool = False
) -> ServerFound | None:
    """The list of models first: without one, or a refusal of it, no server is offered. NetworkError: nobody is there."""
    connection = Connection(
        slug=urlsplit(root).netloc, dialect="openai", base_url=root, watchdogs=Watchdogs(connect=ONE), allow_http=allow_http
    )  # fmt: skip
    client = fetcher.client(connection)
    answers: dict[str, _Answer] = {}
    try:
        first = answers[_LIST] = await _get(fetcher, client, root + _LIST)
        if first.status == 0:
            raise NetworkError(f"Nobody answers at {root}.", hint="Start the server.", provider=root)
        wanted = dict.fromkeys(probe.get for server in candidates for probe in server.probes)
        wanted |= dict.fromkeys([*(server.list_path for server in candidates), _NOWHERE])
        turns = asyncio.Semaphore(_AT_ONCE)

        async def ask(path: str) -> None:
            async with turns:
                answers[path] = await _get(fetcher, client, root + path)

        await asyncio.gather(*(ask(path) for path in wanted if path not in answers))
    finally:
        await client.aclose()
    return _named(root, candidates, answers)


def _named(root: str, candidates: Sequence[LocalServer], answers: dict[str, _Answer]) -> ServerFound | None:
    """The first server of which a probe fits and which lists models, or refuses to without a key."""
    anything = _good(answers.get(_NOWHERE))
    for server in (*candidates, *(one for one in local_servers() if one not in candidates)):
        listed = answers.get(server.list_path)
        probe = _proof(server, answers, anything=anything)
        if probe is None or listed is None or not (_models(listed) is not None or _refuses(listed)):
            continue
        found = _found(server.server, server.vendor, root, server.list_path, listed, probe.get)
        if _refuses(answers.get(server.detail or "")):  # llama.cpp lists its models to everybody
            found = replace(found, wants_key=True)
        return found
    for path in (_LIST, *(server.list_path for server in candidates if not server.probes)):
        listed = answers.get(path)
        if listed is not None and _models(listed) is not None:
            return _found("openai", None, root, path, listed, path)
    return None


def _proof(server: LocalServer, answers: dict[str, _Answer], *, anything: bool) -> Probe | None:
    """The probe that names the server. What its list says outweighs an answer that others give too."""
    fitting = [one for one in server.probes if _fits(server, one, answers.get(one.get))]
    own = [one for one in server.probes if one.json_value]
    if any(one in fitting for one in own):
        return next(one for one in own if one in fitting)
    if anything:
        return None
    listed = answers.get(server.list_path)
    for one in fitting:
        plain = bool(one.json_has) and _PLAIN.issuperset(one.json_has)
        if not (plain and own and listed is not None and _models(listed)):
            return one
    return None


def _good(answer: _Answer | None) -> bool:
    return answer is not None and 200 <= answer.status < 300


def _found(server: str, vendor: str | None, root: str, path: str, listed: _Answer, proof: str) -> ServerFound:
    title = _TITLES.get(server, "OpenAI-compatible server")
    return ServerFound(server, title, vendor, root, path, _models(listed) or (), proof, _refuses(listed))


def _fits(server: LocalServer, probe: Probe, answer: _Answer | None) -> bool:
    if answer is None or not _good(answer):
        return False
    if not probe.proves:
        said = _BARE.get(server.server)
        return said is not None and said in answer.text and len(answer.text) < 200
    document = answer.document
    if probe.body_has is not None and (probe.body_has not in answer.text or len(answer.text) > 200):
        return False
    if probe.json_has and not (
        isinstance(document, dict) and all(name in document for name in probe.json_has)
    ):
        return False
    return all(_at(document, place) == value for place, value in probe.json_value)


def _at(document: object, place: str) -> object:
    """`data[0].owned_by` in a document; None where there is nothing."""
    for part in place.replace("[", ".[").split("."):
        if part.startswith("["):
            number = int(part[1:-1])
            document = document[number] if isinstance(document, list) and len(document) > number else None
        else:
            document = document.get(part) if isinstance(document, dict) else None
    return document


def _models(answer: _Answer) -> tuple[str, ...] | None:
    """The first ids of a list of models; None where it is no such list."""
    document = answer.document
    if not _good(answer) or not isinstance(document, dict):
        return None
    items = next(
        (document[name] for name in ("data", "models") if isinstance(document.get(name), list)), None
    )
    if items is None:
        return None
    ids = [_id(item) for item in items[:20]]
    return None if None in ids else tuple(one_line(name, 80) for name in ids if name)


def _id(item: object) -> str | None:
    if not isinstance(item, dict):
        return None
    names = (item.get(name) for name in ("id", "key", "model", "name"))
    return next((name for name in names if isinstance(name, str) and name), None)


def _refuses(answer: _Answer | None) -> bool:
    return answer is not None and answer.status in (401, 403) and isinstance(answer.document, dict)


async def _get(fetcher: Fetcher, client: httpx.AsyncClient, url: str) -> _Answer:
    """An answer, or status 0 for none at all."""
    request = client.build_request("GET", url, headers={"accept": "application/json, text/plain"})
    try:
        status, _, body = await fetcher.call(client, request, Origin("server"), timeout=ONE, limit=BODY)
    except SwitchroomError as error:
        return _Answer(0 if _unreachable(error) else 1, "", None)
    text = body.decode("utf-8", "replace").lstrip("\ufeff")
    try:
        return _Answer(status, text, json.loads(text))
    except (ValueError, RecursionError):
        return _Answer(status, text, None)


def _unreachable(error: SwitchroomError) -> bool:
    return isinstance(error, NetworkError)


def _root(url: str) -> str:
    split = urlsplit(normalise_base_url(url))
    return f"{split.scheme}://{split.netloc}"
