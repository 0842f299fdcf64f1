"""The keys of an import: where each comes from, which are still to set, and which would go to the wrong address."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from services.transfer_read import safe
from services.transfer_types import FoundProvider, KeyToSet, Step, Tell

if TYPE_CHECKING:
    from services.container import Services
    from services.transfer_provider import ProviderWork
    from store.providers import ProviderRow


def wanted_key(
    services: Services, one: FoundProvider, work: ProviderWork, *, test: bool = True
) -> tuple[Step | None, list[KeyToSet]]:
    """The plan's line about the key, and what of it the user still has to do."""
    row, todo = work.after, _secrets_to_set(one, work)
    before = work.before.key_ref if work.before else None
    command = f"switchroom keys set {row.slug} --key-stdin"
    if work.key is not None:
        how = "tried, then stored" if test else "stored untested"
        return Step("key", row.slug, "add", f"from the file: {how}"), todo
    if row.key_ref and row.key_ref.startswith("env:"):
        name = row.key_ref[4:]
        there = variable_set(services, name)
        if not there:
            todo.insert(
                0,
                KeyToSet(
                    row.slug, "key", f"the variable {name} is not set", f"export {name}=…, or {command}"
                ),
            )
        if row.key_ref == before:
            return None, todo
        return Step(
            "key", row.slug, "add", f"in the variable {name}, which is {'set' if there else 'not set yet'}"
        ), todo
    if row.key_ref is None and (one.key_needed or wants_key(services, row)):
        todo.insert(0, KeyToSet(row.slug, "key", "the file holds none", command))
    return None, todo


def another(before: ProviderRow, one: FoundProvider) -> bool:
    """Whether the file's key is, as far as can be told, not the one that is here."""
    from services.drafts import EnvKey
    from services.keys import last4

    if one.key is None:
        return False
    if isinstance(one.key, EnvKey):
        return before.key_ref != f"env:{one.key.name}"
    return before.key_last4 is None or before.key_last4 != last4(one.key)


def _secrets_to_set(one: FoundProvider, work: ProviderWork) -> list[KeyToSet]:
    slug = work.after.slug
    todo = [
        KeyToSet(slug, f"secret header {safe(name, 40)}", "it is not taken from a file", f"switchroom providers edit {slug} --secret-header {safe(name, 40)}")
        for name in one.secret_headers
        if name not in work.after.secret_headers
    ]  # fmt: skip
    if one.proxy_needed and work.after.proxy is None:
        todo.append(
            KeyToSet(
                slug, "proxy", "its password is not in the file", f"in the program: providers, {slug}, edit"
            )
        )
    return todo


def wants_key(services: Services, row: ProviderRow) -> bool:
    """Whether its vendor answers nobody without a key."""
    spec = services.catalog.spec(row.catalog_id)
    return spec is not None and spec.auth != "none" and not spec.local


def warn_of_foreign_key(
    services: Services, name: str, row: ProviderRow, tell: Tell, line: int | None
) -> None:
    """A vendor's own variable that would be sent to somebody else's address."""
    from urllib.parse import urlsplit

    from catalog.detect import is_loopback, is_private

    host = urlsplit(row.endpoint).hostname or ""
    owners = [spec for spec in services.catalog.specs() if name in spec.env.key]
    if not owners or is_loopback(host) or is_private(host):
        return
    # Whose address it is says the address: a file can call anybody's server by the vendor's name.
    places = {urlsplit(url).hostname for spec in owners for url in (spec.endpoint, *spec.alt_endpoints)}
    if host not in places and services.catalog.detect(row.endpoint).vendor not in {
        spec.id for spec in owners
    }:
        tell(
            "warning", f"{row.slug} would send {name}, the key of {owners[0].id}, to {safe(host, 80)}.", line
        )


def variable_set(services: Services, name: str) -> bool:
    """Whether a variable has a value now, in the environment or in our own `.env`."""
    from dotenv import dotenv_values

    if os.environ.get(name, "").strip():
        return True
    file = services.paths.env_file
    try:
        return file.is_file() and bool((dotenv_values(file, interpolate=False).get(name) or "").strip())
    except (OSError, UnicodeDecodeError):
        return False
