"""One provider of an import: the row it becomes, and what differs from the one that is here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.options import STEERS
from catalog.redact import remember_secret
from services.clock import now_ms
from services.keys import references
from services.transfer_fields import reference
from services.transfer_keys import another, warn_of_foreign_key
from services.transfer_own import MARK
from services.transfer_read import safe, secretive
from services.transfer_types import Action, Found, FoundProvider, Tell

if TYPE_CHECKING:
    from pydantic import SecretStr

    from services.container import Services
    from services.drafts import ProviderDraft
    from store.providers import ProviderRow


_WAY = {"proxy": "proxy", "ca_file": "CA file", "tls_min": "lowest TLS version", "allow_http": "word on plain http"}  # fmt: skip
"""What decides who can read the requests of a provider on their way."""
_WORDS = {"dialect": "type", "catalog_id": "vendor", "timeout_s": "timeout", "gpu_hour_nanos": "GPU hour", "auto_sync": "sync", "discount_pct": "discount", "cost_mode": "cost"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProviderWork:
    """What is to be done about one provider."""

    before: ProviderRow | None
    """None: it is added."""
    after: ProviderRow
    """Without the key that is still to be stored."""
    key: SecretStr | None
    """The file's own key, to be tried and stored; None: nothing is stored."""
    action: Action
    what: str
    conflict: str = ""
    """Why it is skipped; empty: it is not."""


def provider_work(
    services: Services,
    found: Found,
    one: FoundProvider,
    before: ProviderRow | None,
    tell: Tell,
    *,
    allow_http: bool,
) -> ProviderWork:
    """The row of a provider of the file beside the one of that name here. UsageError: it could not work."""
    from services.drafts import EnvKey
    from services.row_audit import difference

    draft = _usable(services, one, tell)
    if allow_http and draft.allow_http is None and _is_plain_private(draft):
        draft = replace(draft, allow_http=True)
    fresh = _fresh(services, one, draft, tell)
    key = None if isinstance(one.key, EnvKey) else one.key
    if before is None:
        return ProviderWork(None, fresh, key, "add", _added(fresh))
    if (before.endpoint, before.dialect) != (fresh.endpoint, fresh.dialect):
        reason = f"{before.slug} is {_kind(before)} at {before.endpoint} here, and {_kind(fresh)} at {fresh.endpoint} in the file"
        return ProviderWork(before, before, None, "skip", "", reason)
    after = _merged(services, found, one, draft, before, fresh)
    if before.key_ref is not None and (key is not None or after.key_ref != before.key_ref):
        if another(before, one):
            tell("note", f"{before.slug} keeps the key it has here.", one.line)
        after, key = replace(after, key_ref=before.key_ref, key_last4=before.key_last4), None
    if references(before):
        after = _reached_as_before(before, after, tell, one.line)
    changed = difference(before, after)["after"]
    names = (
        [_WORDS.get(name, name.replace("_", " ")) for name in changed] if isinstance(changed, dict) else []
    )
    if after.secret_headers != before.secret_headers and "secret headers" not in names:
        names.append("secret headers")
    if not names and after.key_ref == before.key_ref:
        return ProviderWork(before, before, key, "same", "as here")
    return ProviderWork(before, after, key, "change" if names else "same", ", ".join(names) or "as here")


def _fresh(services: Services, one: FoundProvider, draft: ProviderDraft, tell: Tell) -> ProviderRow:
    """The row as the file alone would have it."""
    from services.drafts import EnvKey, new_row

    fresh = _exact(services, one, new_row(draft, services.catalog, ()), tell)
    if draft.proxy:
        from services.drafts import check_proxy

        if check_proxy(draft.proxy):
            tell(
                "left out",
                f"The proxy of {fresh.slug} has a password: enter it with providers edit.",
                one.line,
            )
        else:
            fresh = replace(fresh, proxy=draft.proxy)
    if one.enabled is False:
        fresh = replace(fresh, enabled=False)
    for variable in filter(None, one.secret_headers.values()):
        warn_of_foreign_key(services, variable, fresh, tell, one.line)
    references = {name: f"env:{variable}" for name, variable in one.secret_headers.items() if variable}
    fresh = replace(fresh, secret_headers=references)
    if isinstance(one.key, EnvKey):
        fresh = replace(fresh, key_ref=f"env:{one.key.name}")
        warn_of_foreign_key(services, one.key.name, fresh, tell, one.line)
    for name in sorted(STEERS & fresh.options.keys()):
        if "://" in (value := fresh.options[name]) and name != "scope":
            tell(
                "warning",
                f"{fresh.slug}: its secrets go to {safe(value, 120)} too (option {name}).",
                one.line,
            )
    return fresh


def without_secrets(one: FoundProvider, tell: Tell, *, expands: bool) -> FoundProvider:
    """The provider with every header, option and label that is a secret kept out of what is stored in clear.

    A header becomes a secret one: `${NAME}` as a reference to the variable, anything else to be entered anew.
    """
    draft, secret_headers = one.draft, dict(one.secret_headers)
    kept: dict[str, dict[str, str]] = {}
    for table in ("headers", "options", "labels"):
        kept[table] = {}
        for name, value in (getattr(draft, table) or {}).items():
            variable = reference(value) if expands and table == "headers" else None
            if variable is None and not secretive(value, "" if table == "labels" else name):
                kept[table][name] = value
                continue
            if table == "headers":
                secret_headers[name] = variable.name if variable else None
            if variable is None or variable.default:
                remember_secret(variable.default or "" if variable else value)
                tell("left out", f"{table.rstrip('s')} {name} of {draft.slug}: a secret is not kept in clear.", one.line)  # fmt: skip
    clean = replace(draft, **{table: found or None for table, found in kept.items()})  # type: ignore[arg-type]
    return replace(one, draft=clean, secret_headers=secret_headers)


def _added(row: ProviderRow) -> str:
    said = [f"{_kind(row)} at {row.endpoint}"]
    said += [f"default model {row.default_model}"] if row.default_model else []
    said += [f"timeout {row.timeout_s:g} s"] if row.timeout_s is not None else []
    said += [] if row.enabled else ["off"]
    return ", ".join(said)


def _usable(services: Services, one: FoundProvider, tell: Tell) -> ProviderDraft:
    """The draft without what would refuse the whole entry and need not."""
    from catalog.types import DIALECTS

    draft = one.draft
    kind = draft.type
    if kind and draft.url and services.catalog.spec(kind) is None and kind not in (*DIALECTS, "fake"):
        tell(
            "note",
            f"The type “{safe(kind, 30)}” of {draft.slug} is not known; it is told from the address.",
            one.line,
        )
        draft = replace(draft, type=None)
    if draft.url and "?" in draft.url:
        tell("left out", f"What follows the ? in the address of {draft.slug}.", one.line)
    if draft.ca_file and not Path(draft.ca_file).expanduser().is_file():
        tell("left out", f"The CA file of {draft.slug} is not on this machine.", one.line)
        draft = replace(draft, ca_file=None)
    return draft


def _is_plain_private(draft: ProviderDraft) -> bool:
    from urllib.parse import urlsplit

    from catalog.detect import is_private, normalise_base_url

    split = urlsplit(normalise_base_url(draft.url)) if draft.url else None
    return split is not None and split.scheme == "http" and is_private(split.hostname or "")


def _exact(services: Services, one: FoundProvider, row: ProviderRow, tell: Tell) -> ProviderRow:
    """The vendor as the file names it, where it names dialect and vendor apart."""
    if one.vendor is None or one.vendor == (row.catalog_id or ""):
        return row
    if one.vendor and one.vendor_file is None and services.catalog.spec(one.vendor) is None:
        tell(
            "warning",
            f"{row.slug}: the vendor “{safe(one.vendor, 40)}” is not in the catalog here.",
            one.line,
        )
        return row
    return replace(row, catalog_id=one.vendor or None)


def _merged(
    services: Services,
    found: Found,
    one: FoundProvider,
    draft: ProviderDraft,
    before: ProviderRow,
    fresh: ProviderRow,
) -> ProviderRow:
    """The row here with what the file says. A whole export says every field; others only what they name."""
    from services.drafts import edited_row

    if found.format == MARK:
        headers = {name: ref for name, ref in before.secret_headers.items() if name in one.secret_headers}
        return replace(
            fresh,
            key_ref=fresh.key_ref or (before.key_ref if one.key_needed else None),
            key_last4=before.key_last4 if fresh.key_ref in (None, before.key_ref) else None,
            admin_ref=before.admin_ref,
            admin_last4=before.admin_last4,
            sign_in_ref=before.sign_in_ref,
            secret_headers={**headers, **fresh.secret_headers},
            proxy=before.proxy if one.proxy_needed else fresh.proxy,
            state=before.state,
            state_message=before.state_message,
            state_at=before.state_at,
            last_validated_at=before.last_validated_at,
            created_at=before.created_at,
            updated_at=max(now_ms(), before.updated_at + 1),
        )
    edited = edited_row(before, replace(draft, type=None, url=None), services.catalog)
    return replace(
        edited,
        catalog_id=fresh.catalog_id or before.catalog_id,
        enabled=before.enabled if one.enabled is None else one.enabled,
        secret_headers={**fresh.secret_headers, **before.secret_headers},
        proxy=fresh.proxy or before.proxy,
        key_ref=fresh.key_ref or before.key_ref,
        key_last4=before.key_last4 if fresh.key_ref in (None, before.key_ref) else None,
    )


def _reached_as_before(before: ProviderRow, after: ProviderRow, tell: Tell, line: int | None) -> ProviderRow:
    """The way to a provider whose secrets are here is the user's word: a file must not lead them past others."""
    moved = {name: getattr(before, name) for name in _WAY if getattr(after, name) != getattr(before, name)}
    steered = sorted(name for name in STEERS if after.options.get(name) != before.options.get(name))
    if moved or steered:
        named = ", ".join([*(_WAY[name] for name in moved), *(f"option {name}" for name in steered)])
        tell("note", f"{before.slug} keeps its {named} of here, as its secrets go that way.", line)
    options = {name: value for name, value in after.options.items() if name not in STEERS}
    kept = {name: value for name, value in before.options.items() if name in STEERS}
    return replace(after, options={**options, **kept}, **moved)


def _kind(row: ProviderRow) -> str:
    return row.catalog_id or row.dialect
