"""Which address a variable says, and whose it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from catalog.detect import is_loopback, is_private, normalise_base_url
from catalog.errors import UsageError
from services.environment import Variables

if TYPE_CHECKING:
    from catalog.lookup import Catalog
    from catalog.types import ProviderSpec

PROVIDER = re.compile(r"PROVIDER_([A-Z0-9_]{1,60})_(URL|KEY)")
KEY = re.compile(r"([A-Z][A-Z0-9_]{1,60})_API_KEY")


@dataclass(frozen=True, slots=True)
class Place:
    """A usable address, or why there is none."""

    variable: str
    url: str = ""
    problem: str = ""
    allow_http: bool = False
    """Plain http to a private address: the user is asked first."""


class Places:
    """The addresses of one set of variables. Makes no connection."""

    def __init__(self, variables: Variables, catalog: Catalog) -> None:
        self._variables = variables
        self._catalog = catalog

    def of(self, spec: ProviderSpec) -> Place | None:
        """The address that was set for a vendor; its own names first, then `{NAME}_BASE_URL` for its key's name."""
        stems = [match[1] for name in spec.env.key if (match := KEY.fullmatch(name))]
        also = [f"{stem}_{end}" for stem in stems for end in ("BASE_URL", "API_BASE")]
        for name in (*spec.env.base_url, *also):
            if self._variables.text(name):
                return self.at(name, port=11434 if name == "OLLAMA_HOST" else None)
        return None

    def at(self, name: str, port: int | None = None) -> Place:
        text = self._variables.text(name)
        if port is not None and "://" not in text and not re.search(r":\d+(/|$)", text):
            text = f"{text.rstrip('/')}:{port}" if not text.startswith("[") or text.endswith("]") else text
        try:
            if port is not None and text.startswith(":"):
                text = f"127.0.0.1{text}"
            url = normalise_base_url(text)
        except UsageError as error:
            return Place(name, problem=f"{name} is no usable address: {error.message.rstrip('.')}")
        host = urlsplit(url).hostname or ""
        plain = url.startswith("http:") and not is_loopback(host)
        if plain and not is_private(host):
            return Place(name, problem=f"{name} is plain http to {host}: a key would travel unprotected")
        return Place(name, url, allow_http=plain)

    def meant(self, spec: ProviderSpec, place: Place) -> ProviderSpec | None:
        """The vendor that an address belongs to; None for one that tells nothing."""
        seen = self._catalog.detect(place.url)
        if seen.vendor == spec.id or _host(spec.endpoint) == _host(place.url):
            return spec
        if seen.confidence == "high" and (other := self._catalog.spec(seen.catalog_id)) is not None:
            return other
        return spec if spec.local and seen.confidence != "high" else None


def loopback_addresses(variables: Variables, catalog: Catalog) -> list[str]:
    """Addresses on this machine that the variables of model providers name, in whatever vendor's name."""
    known = {name for spec in catalog.specs() for name in spec.env.base_url}
    found = []
    for name in variables:
        stem = name.removesuffix("_BASE_URL").removesuffix("_API_BASE")
        named = stem != name and bool(variables.text(f"{stem}_API_KEY"))
        if not (name in known or named or PROVIDER.fullmatch(name)):
            continue
        try:
            url = normalise_base_url(variables.text(name))
        except UsageError:
            continue
        if is_loopback(_host(url)) and urlsplit(url).port is not None:
            found.append(url)
    return found


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
