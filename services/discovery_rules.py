"""From variables to findings: addresses decide before names, and a key that could be several things is never guessed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from catalog.detect import Detection, is_loopback, is_private
from catalog.discoverable import ambiguous_variables, key_prefixes
from catalog.plaintext import one_line
from services.discovery_places import KEY, PROVIDER, Place, Places
from services.discovery_views import Finding, Option
from services.drafts import slugged
from services.environment import Variables, no_key
from services.keys import last4

if TYPE_CHECKING:
    from catalog.lookup import Catalog
    from catalog.types import ProviderSpec

_GITHUB = Option("GitHub Models", None, "https://models.github.ai/inference", "github-models")
_ALSO = {"meta": "LLAMA_API_KEY"}
"""Vendors that a variable may be for though the catalog does not name it with them."""
_BEARERS = {"azure": ("AZURE_OPENAI_AD_TOKEN",)}
"""Vendor → variables with a token that is used instead of any key."""
_VERSIONS = {"azure": ("OPENAI_API_VERSION", "AZURE_API_VERSION")}
"""Vendor → variables that say which form of its API is meant."""
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_SIGN_IN = {"gcp-oauth": "Google sign-in", "bearer-or-sigv4": "AWS sign-in"}
_BEFORE = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
"""Where both are set and both are Gemini's, Google's own SDK takes the first (WIRE section 4)."""
_LOOK_AT_URL = "OPENAI_API_KEY"
"""Ambiguous only where a base URL says so."""


class Rules:
    """Reads one set of variables. Makes no connection and keeps no value."""

    def __init__(self, variables: Variables, catalog: Catalog) -> None:
        self._variables = variables
        self._catalog = catalog
        self._places = Places(variables, catalog)
        self._specs = catalog.specs()
        self._taken: set[tuple[str, str]] = set()
        """(key, address) pairs that a finding has: a second variable with the same key adds nothing."""

    def findings(self) -> list[Finding]:
        """All of them, vendors in the order of the catalog."""
        found: list[Finding] = []
        for spec in self._specs:
            found += self._vendor(spec)
        found += self._named()
        found += self._convention()
        found += self._ambiguous()
        return found

    # vendors of the catalog

    def _vendor(self, spec: ProviderSpec) -> list[Finding]:
        variables = self._variables
        place = self._places.of(spec)
        bearers = [name for name in _BEARERS.get(spec.id, ()) if variables.text(name)]
        names = bearers or [n for n in spec.env.key if self._belongs(n, spec) and variables.text(n)]
        names.sort(key=lambda name: name != _BEFORE[0])
        bad = [name for name in names if not variables.key(name)]
        good = [name for name in names if name not in bad]
        if place is not None and place.problem:
            return [self._incomplete(spec, place.variable, place.problem)] if good or spec.local else []
        if not good:
            found = self._keyless(spec, place, names)
            return found or [
                self._incomplete(spec, name, f"{name} {no_key(variables.text(name))}") for name in bad
            ]
        first = self._with_key(spec, good[0], place)
        if first is None:
            return []
        values = {variables.key(good[0])}
        found = [first]
        for name in good[1:]:
            if variables.key(name) not in values:
                values.add(variables.key(name))
                found.append(self._other_key(spec, name, good[0]))
        return found

    def _with_key(self, spec: ProviderSpec, name: str, place: Place | None) -> Finding | None:
        """A vendor's key, and the address that was set for it, if any."""
        said = f"{name} is {self._variables.where(name)}"
        azure = self._azure(name)
        if azure is not None:
            said += " with OPENAI_API_TYPE=azure"
        if place is None:
            if spec.local or "{" in spec.endpoint:
                return self._no_address(spec, name)
            if azure is not None:
                return self._old_azure(azure, name)
            return self._foreign(spec, name, said) or self._clear(spec, said, name, None)
        meant = self._places.meant(spec, place)
        if meant is spec:
            own = None if spec.local else self._foreign(spec, name, said)
            return own or self._clear(spec, f"{said}; {self._says(place)}", name, place)
        if spec.local and meant is not None:
            return None  # OLLAMA_HOST names the other one of two vendors that share it
        if meant is not None:
            if name in meant.env.key:
                return None
            why = f"{said}; {self._says(place)}, so this is a key of {meant.name}, not of {spec.name}"
            return self._foreign(meant, name, why) or self._clear(meant, why, name, place)
        why = f"{said}; {self._says(place)}, so it need not be a key of {spec.name}"
        here = Option(f"the server at {one_line(place.url, 120)}", None, place.url, self._slug_of(place.url), True, place.allow_http)  # fmt: skip
        return self._finding("ambiguous", name, why, (here, self._option(spec)), key_name=name, spec=None)

    def _old_azure(self, azure: ProviderSpec, name: str) -> Finding | None:
        """OpenAI's key that Azure's own variables give an address, and perhaps another key."""
        own = next((one for one in azure.env.key if self._variables.key(one)), None)
        if own is not None:
            same = self._variables.key(own) == self._variables.key(name)
            return None if same else self._other_key(azure, name, own)
        place = self._places.of(azure)
        if place is None:
            return self._no_address(azure, name)
        return (
            self._incomplete(azure, place.variable, place.problem)
            if place.problem
            else self._with_key(azure, name, place)
        )

    def _azure(self, name: str) -> ProviderSpec | None:
        """Azure, where the old SDK's way of saying so is set: then the key is none of OpenAI's."""
        said = self._variables.text("OPENAI_API_TYPE").lower().startswith("azure")
        return self._catalog.spec("azure") if said and name == "OPENAI_API_KEY" else None

    def _told_with_openai(self, spec: ProviderSpec) -> bool:
        """Whether this is Azure, and the old SDK's way of naming its key is set."""
        azure, openai = self._azure(_LOOK_AT_URL), self._catalog.spec("openai")
        key = azure is not None and azure.id == spec.id and bool(self._variables.key(_LOOK_AT_URL))
        return key and openai is not None and self._places.of(openai) is None

    def _foreign(self, spec: ProviderSpec, name: str, said: str) -> Finding | None:
        """A question, where the key begins as another vendor's do."""
        if (owner := self._owner(name, spec)) is None:
            return None
        why = f"{said}, but it begins as the keys of {owner.name} do, so it is not guessed"
        options = (self._option(owner), self._option(spec))
        return self._finding("ambiguous", name, why, options, key_name=name, spec=None)

    def _keyless(self, spec: ProviderSpec, place: Place | None, names: list[str]) -> list[Finding]:
        """An address without a key: enough for a local server, a question elsewhere."""
        if place is None or self._told_with_openai(spec):
            return []
        meant = self._places.meant(spec, place)
        if spec.local:
            if meant is not None and meant is not spec:
                return []
            return [self._clear(spec, self._says(place), "", place)]
        host = urlsplit(place.url).hostname or ""
        if is_loopback(host) or is_private(host) or names or (meant is not None and meant is not spec):
            return []  # a server of one's own is looked for there; an example is told as such
        missing = next((name for name in spec.env.key), "a key")
        return [self._finding("incomplete", spec.name, f"{self._says(place)}, but no key is set", (), spec=spec, missing=missing)]  # fmt: skip

    def _other_key(self, spec: ProviderSpec, name: str, first: str) -> Finding:
        why = f"{name} is {self._variables.where(name)} and holds another key than {first}"
        place = self._places.of(spec)
        if place is not None and (place.problem or self._places.meant(spec, place) is not spec):
            place = None
        return self._finding("ambiguous", name, why, (self._option(spec, place),), key_name=name, spec=spec)

    def _no_address(self, spec: ProviderSpec, name: str) -> Finding:
        missing = next(iter(spec.env.base_url), "an address")
        why = f"{name} is {self._variables.where(name)}"
        if not _unsupported(spec):
            why += ", but not where the server is"
        return self._finding("incomplete", spec.name, why, (), key_name=name, spec=spec, missing=missing)

    def _incomplete(self, spec: ProviderSpec, name: str, why: str) -> Finding:
        return self._finding("incomplete", spec.name, why, (), spec=spec, missing=name)

    # conventions

    def _named(self) -> list[Finding]:
        """`PROVIDER_<NAME>_URL` and `_KEY`: said on purpose, so an unknown address is taken as it is."""
        found = []
        names = {match[1] for name in self._variables if (match := PROVIDER.fullmatch(name)) and self._variables.text(name)}  # fmt: skip
        for name in sorted(names):
            url, key = f"PROVIDER_{name}_URL", f"PROVIDER_{name}_KEY"
            has_key, said = bool(self._variables.key(key)), f"{key} is {self._variables.where(key)}"
            title = slugged(name.replace("_", "-"))
            if not self._variables.text(url):
                vendor = self._catalog.spec(title)
                options = () if vendor is None or "{" in vendor.endpoint else (self._option(vendor),)
                why = f"{said}, but {url} is not" if has_key else f"{key} {no_key(self._variables.text(key))}"
                found.append(self._finding("incomplete", title, why, options if has_key else (), key_name=key if has_key else "", spec=vendor, missing=url if has_key else key))  # fmt: skip
                continue
            place = self._places.at(url)
            host = urlsplit(place.url).hostname or ""
            if place.problem:
                found.append(self._finding("incomplete", title, place.problem, (), spec=None, missing=url))
            elif not has_key and not is_loopback(host) and not is_private(host):
                why = f"{self._says(place)}, but {key} is not set"
                if self._variables.text(key):
                    why = f"{self._says(place)}, but {key} {no_key(self._variables.text(key))}"
                found.append(self._finding("incomplete", title, why, (), spec=None, missing=key))
            else:
                why = f"{said}; {self._says(place)}" if has_key else self._says(place)
                found.append(self._at(place, title, why, key if has_key else ""))
        return [one for one in found if self._fresh(one)]

    def _convention(self) -> list[Finding]:
        """`{NAME}_API_KEY` with `{NAME}_BASE_URL`: many things are named so, thus only a known address is clear."""
        known = {name for spec in self._specs for name in spec.env.key} | set(ambiguous_variables())
        found = []
        for key in sorted(name for name in self._variables if KEY.fullmatch(name) and name not in known):
            stem = key.removesuffix("_API_KEY")
            url = next((n for n in (f"{stem}_BASE_URL", f"{stem}_API_BASE") if self._variables.text(n)), "")
            if not url or stem.startswith(("SWITCHROOM", "PROVIDER_")) or not self._variables.key(key):
                continue
            place = self._places.at(url)
            if place.problem:
                continue  # perhaps nothing of ours at all
            why = f"{key} is {self._variables.where(key)}; {self._says(place)}"
            found.append(self._at(place, slugged(stem), why, key, doubt=self._doubt(place, key)))
        return [one for one in found if self._fresh(one)]

    def _doubt(self, place: Place, name: str) -> str:
        """Why a key under any name need not be for its address, in words; empty: it is."""
        seen = self._catalog.detect(place.url)
        if seen.confidence != "high":
            return "which no known vendor uses"
        spec = self._catalog.spec(seen.catalog_id) if seen.catalog_id else None
        if spec is None or not spec.key_hint.prefixes or self._variables.key(name).startswith(spec.key_hint.prefixes):  # fmt: skip
            return ""
        return f"but it does not begin as the keys of {spec.name} do"

    def _ambiguous(self) -> list[Finding]:
        """What several vendors or programs use, where nothing says which is meant."""
        found = []
        for name, entry in ambiguous_variables().items():
            vendors = [spec for spec in self._specs if name in (*spec.env.key, _ALSO.get(spec.id))]
            if name == _LOOK_AT_URL or not self._variables.key(name):
                continue
            if any(self._belongs(name, spec) for spec in vendors) or (not vendors and name != "GITHUB_TOKEN"):
                continue
            value = self._variables.key(name)
            if any(value == key for key, _ in self._taken):
                continue  # the same key under a name that says what it is
            options = tuple(self._option(spec) for spec in vendors if "{" not in spec.endpoint) or (_GITHUB,)
            why = f"{name} is {self._variables.where(name)}, but may be for {_or(entry.may_be)}"
            if name == _BEFORE[0] and self._variables.key(_BEFORE[1]):
                why += f"; Google's SDK takes it before {_BEFORE[1]}"
            if name == "GITHUB_TOKEN":
                why = f"{name} is {self._variables.where(name)}; it opens all of GitHub, so it is never taken by itself"  # fmt: skip
            found.append(self._finding("ambiguous", name, why, options, key_name=name, spec=None))
        return found

    # parts

    def _belongs(self, name: str, spec: ProviderSpec) -> bool:
        """Whether the variable is this vendor's: an ambiguous one only where a base URL of its own is set too."""
        if name not in ambiguous_variables() or name == _LOOK_AT_URL:
            return True
        sharing = [one for one in self._specs if name in one.env.key and self._places.of(one) is not None]
        return sharing == [spec]

    def _owner(self, name: str, spec: ProviderSpec) -> ProviderSpec | None:
        """Another vendor whose keys begin as this one does and no other's do; the bare `sk-` says nothing."""
        value = self._variables.key(name)
        prefix = next((one for one in key_prefixes() if value.startswith(one)), "")
        if len(prefix) < 4 or any(prefix.startswith(own) for own in spec.key_hint.prefixes if own != "sk-"):
            return None
        owner = next((one for one in self._specs if prefix in one.key_hint.prefixes), None)
        return owner if owner is not None and owner.id != spec.id and prefix not in spec.key_hint.prefixes else None  # fmt: skip

    def _clear(self, spec: ProviderSpec, why: str, key: str, place: Place | None) -> Finding:
        found = self._finding(
            "offered" if place is not None and place.allow_http else "clear",
            spec.name, why, (self._option(spec, place),), key_name=key, spec=spec,
        )  # fmt: skip
        found = replace(found, address_name=place.variable if place is not None else "")
        self._taken.add((self._variables.key(key), found.endpoint))
        return found

    def _at(self, place: Place, slug: str, why: str, key: str, *, doubt: str = "") -> Finding:
        """What is at an address, by the address alone."""
        seen = self._catalog.detect(place.url)
        spec = self._catalog.spec(seen.catalog_id) if seen.catalog_id else None
        if spec is not None:
            option = replace(self._option(spec, place), slug=slug)
        else:
            option = Option(f"the server at {one_line(place.url, 120)}", None, place.url, slug, allow_http=place.allow_http)  # fmt: skip
        kind = "ambiguous" if doubt else "offered" if place.allow_http else "clear"
        why += f", {doubt}" if doubt else ""
        return self._finding(kind, slug, why, (option,), key_name=key, spec=spec, seen=seen)

    def _option(self, spec: ProviderSpec, place: Place | None = None) -> Option:
        """A vendor as it would be added."""
        supported = not _unsupported(spec)
        url = place.url if place else None
        said = [("api_version", self._variables.text(name)) for name in _VERSIONS.get(spec.id, ())]
        options = tuple(pair for pair in said if _DATED.fullmatch(pair[1]))[:1]
        return Option(spec.name, spec.id, url, spec.id, supported, bool(place and place.allow_http), options)

    def _finding(
        self, kind: str, name: str, why: str, options: tuple[Option, ...], *, spec: ProviderSpec | None,
        key_name: str = "", missing: str = "", seen: Detection | None = None,
    ) -> Finding:  # fmt: skip
        one = options[0] if len(options) == 1 else None
        unsupported = _unsupported(spec) if spec is not None else ""
        endpoint = (one.url or (spec.endpoint if spec else "")) if one else ""
        dialect = spec.dialect if spec else seen.dialect if seen else "openai"
        if spec is not None and one is not None and one.type == "openai":
            dialect = "openai"
        about = key_name or missing
        variables = self._variables
        source = variables.source_of(about if about in variables.values else _first_name(why))
        return Finding(
            kind=kind, source=source, name=name, why=why, options=options, key_name=key_name,  # type: ignore[arg-type]
            path=variables.path if source in ("config", "folder") else "",
            catalog_id=spec.id if spec else None, dialect=dialect, endpoint=endpoint, missing=missing, unsupported=unsupported,
            key_last4=last4(SecretStr(variables.key(key_name))) if key_name else None,
        )  # fmt: skip

    def _fresh(self, found: Finding) -> bool:
        """False for a second variable that leads to the same place with the same key."""
        if found.kind == "incomplete":
            return True
        pair = (self._variables.key(found.key_name), found.endpoint)
        if pair in self._taken:
            return False
        self._taken.add(pair)
        return True

    def _says(self, place: Place) -> str:
        return f"{place.variable} says {one_line(place.url, 200)}"

    def _slug_of(self, url: str) -> str:
        split = urlsplit(url)
        host = "local" if is_loopback(split.hostname or "") else split.hostname or ""
        return slugged(f"{host}-{split.port}" if split.port else host)


def _first_name(why: str) -> str:
    return why.split(" ", 1)[0]


def _or(words: tuple[str, ...]) -> str:
    plain = [word.split(":")[0] for word in words]
    return ", ".join(plain[:-1]) + f" or {plain[-1]}" if len(plain) > 1 else plain[0]


def _unsupported(spec: ProviderSpec) -> str:
    """Why a vendor cannot be talked to yet; empty: it can."""
    return f"{_SIGN_IN[spec.auth]} is not built in yet" if spec.auth in _SIGN_IN else ""
