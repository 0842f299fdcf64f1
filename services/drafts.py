"""From what a user typed about a provider to the row that is stored: names, values, ranges."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from catalog.detect import is_loopback
from catalog.errors import UsageError
from catalog.options import OPTIONS, Option, check_option, said_by_address
from catalog.plaintext import one_line
from services import schedule
from services.clock import now_ms
from services.targets import kept_address, resolve_target, same_host

if TYPE_CHECKING:
    from pydantic import SecretStr

    from catalog.lookup import Catalog
    from store.providers import ProviderRow

SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
COST_MODES = ("metered", "own", "flat")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,80}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNSET = {"timeout_s": "timeout_s", "retries": "retries", "gpu_hour": "gpu_hour_nanos"}


@dataclass(frozen=True, slots=True)
class ProviderDraft:
    """What a user says about a provider; None is not said. In an edit, an empty text takes a value away."""

    slug: str | None = None
    type: str | None = None
    """A catalog provider's id or a dialect."""
    url: str | None = None
    name: str | None = None
    region: str | None = None
    labels: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    secret_headers: Mapping[str, SecretStr] | None = None
    options: Mapping[str, str] | None = None
    timeout_s: float | None = None
    """Seconds without an event before an attempt is given up."""
    retries: int | None = None
    """Attempts after the first."""
    proxy: str | None = None
    """A proxy URL; a password in it is stored as a secret."""
    ca_file: str | None = None
    allow_http: bool | None = None
    tls_min: str | None = None
    cost_mode: str | None = None
    gpu_hour: Decimal | None = None
    """USD per hour of own hardware."""
    discount_pct: Decimal | None = None
    auto_sync: str | None = None
    default_model: str | None = None
    unset: frozenset[str] = frozenset()
    """In an edit: `timeout_s`, `retries` and `gpu_hour`, whose values are numbers, where they are taken away."""


@dataclass(frozen=True, slots=True)
class EnvKey:
    """The key stays in an environment variable; only its name is stored."""

    name: str

    def __post_init__(self) -> None:
        if _VARIABLE.fullmatch(self.name) is None:
            raise UsageError(
                "That is not the name of an environment variable.", hint="For example OPENAI_API_KEY."
            )


KeySource: TypeAlias = "SecretStr | EnvKey | None"


def new_row(draft: ProviderDraft, catalog: Catalog, taken: Collection[str]) -> ProviderRow:
    """The row of a new provider, without its secrets. Contacts nothing."""
    from store.providers import ProviderRow

    if draft.slug is not None:
        check_slug(draft.slug)
        if draft.slug in taken:
            raise UsageError(
                f"There is already a provider {draft.slug}.",
                hint=f"Choose another name, or use `switchroom providers edit {draft.slug}`.",
            )
    target = resolve_target(catalog, draft.type, draft.url, draft.slug)
    spec = catalog.spec(target.catalog_id) if target.catalog_id else None
    slug = draft.slug or free_slug(draft.name or target.catalog_id or _host(target.endpoint), taken)
    now = now_ms()
    row = ProviderRow(
        slug=slug,
        name=one_line(draft.name, 80) if draft.name else _default_name(slug, spec.name if spec else None),
        dialect=target.dialect,
        catalog_id=target.catalog_id,
        endpoint=target.endpoint,
        region=None,
        enabled=True,
        key_ref=None,
        key_last4=None,
        headers={},
        secret_headers={},
        options=said_by_address(target.dialect, draft.url),
        labels={},
        timeout_s=None,
        retries=None,
        proxy=None,
        ca_file=None,
        allow_http=False,
        tls_min=None,
        cost_mode=None,
        gpu_hour_nanos=None,
        discount_pct=None,
        default_model=None,
        auto_sync="start",
        state="untested",
        state_message=None,
        state_at=None,
        last_validated_at=None,
        created_at=now,
        updated_at=now,
    )
    return _checked(_filled(row, draft))


def edited_row(row: ProviderRow, draft: ProviderDraft, catalog: Catalog) -> ProviderRow:
    """The row with what the draft says; what it does not say stays. The slug never changes."""
    changed = row
    if draft.type is not None or draft.url is not None:
        kind = draft.type
        if kind is None and row.catalog_id is not None and same_host(draft.url or "", row.endpoint):
            kind = row.catalog_id
        target = resolve_target(catalog, kind, draft.url or kept_address(catalog, row, draft.type), None)
        changed = replace(
            changed,
            dialect=target.dialect,
            catalog_id=target.catalog_id,
            endpoint=target.endpoint,
            options=changed.options | said_by_address(target.dialect, draft.url),
        )
    if draft.name is not None:
        changed = replace(changed, name=one_line(draft.name, 80) or row.slug)
    return _checked(replace(_filled(changed, draft), updated_at=max(now_ms(), row.updated_at + 1)))


def check_slug(slug: str) -> None:
    """Refuse what is no slug, with one that would do."""
    if SLUG.fullmatch(slug) is None:
        raise UsageError(
            "A provider's short name has only a-z, 0-9, - _ and . in it.",
            hint=f"For example {slugged(slug)}.",
        )


def free_slug(text: str, taken: Collection[str]) -> str:
    """A slug made from a name, with a number where it is taken."""
    base = slugged(text)
    slug, number = base, 2
    while slug in taken:
        slug, number = f"{base[:58]}-{number}", number + 1
    return slug


def slugged(text: str) -> str:
    """Any text as a slug: `Groq (work)` → `groq-work`."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9._]+", "-", plain).strip("-._")[:60].rstrip("-._") or "provider"


def _filled(row: ProviderRow, draft: ProviderDraft) -> ProviderRow:
    from catalog.money import to_nanos

    changes: dict[str, object] = {
        name: value.strip() or None
        for name in ("region", "ca_file", "tls_min", "default_model", "cost_mode")
        if (value := getattr(draft, name)) is not None
    }
    for name in ("timeout_s", "retries", "allow_http"):
        if (value := getattr(draft, name)) is not None:
            changes[name] = value
    for name in ("labels", "headers", "options"):
        if (given := getattr(draft, name)) is not None:
            changes[name] = merged(getattr(row, name), given)
    for name in draft.unset:
        changes[_UNSET[name]] = None
    if draft.gpu_hour is not None:
        changes["gpu_hour_nanos"] = to_nanos(_amount(draft.gpu_hour, "--gpu-hour"))
        changes.setdefault("cost_mode", row.cost_mode or "own")
    if draft.discount_pct is not None:
        changes["discount_pct"] = (
            str(_amount(draft.discount_pct, "--discount")) if draft.discount_pct else None
        )
    if draft.auto_sync is not None:
        changes["auto_sync"] = schedule.check(draft.auto_sync)
    return replace(row, **changes)  # type: ignore[arg-type]


def merged(old: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The old entries with the given ones; an empty value takes an entry away."""
    return {name: value for name, value in {**old, **given}.items() if value != ""}


def _checked(row: ProviderRow) -> ProviderRow:
    """Refuse a row that could not work, whichever way it was made."""
    from adapters.http_rules import check_url

    check_url(row.endpoint, row.allow_http)
    if row.cost_mode is not None and row.cost_mode not in COST_MODES:
        raise UsageError("The cost is metered, own or flat.", hint="For example --cost own --gpu-hour 1.20.")
    if row.gpu_hour_nanos is not None and row.cost_mode != "own":
        raise UsageError(
            "A price per hour belongs to own hardware.", hint="Add --cost own, or leave out --gpu-hour."
        )
    if row.discount_pct is not None and Decimal(row.discount_pct) > 100:
        raise UsageError("A discount is between 0 and 100 percent.", hint="For example --discount 15.")
    if row.timeout_s is not None and not 0 < row.timeout_s <= 86_400:
        raise UsageError(
            "A timeout is more than 0 and at most 86400 seconds.", hint="For example --timeout 60."
        )
    if row.retries is not None and not 0 <= row.retries <= 20:
        raise UsageError("Retries are between 0 and 20.", hint="0 tries once.")
    if row.tls_min not in (None, "1.2", "1.3"):
        raise UsageError("The lowest TLS version is 1.2 or 1.3.", hint="Leave it out for the default.")
    for name, value in row.headers.items():
        check_header(name, value)
    if row.ca_file is not None:
        from pathlib import Path

        if not Path(row.ca_file).expanduser().is_file():
            raise UsageError(f"There is no file {one_line(row.ca_file)}.", hint="--ca takes a PEM file.")
    return row


def check_options(dialect: str, given: Mapping[str, str] | None) -> None:
    """Refuse the options that somebody says and that do not exist. What a row or a file has beside them stays as it is."""
    said = {name: value for name, value in (given or {}).items() if value}
    if said:
        declared = _declared(dialect)
        for name, value in said.items():
            check_option(dialect, name, value, declared)


def _declared(dialect: str) -> Mapping[str, Option]:
    """The options of a plug-in's dialect; empty for ours, which are not imported to find out."""
    if dialect in OPTIONS:
        return {}
    from adapters.loader import options_of

    return options_of(dialect)


def check_header_name(name: str) -> None:
    """Refuse what is no header's name."""
    if _HEADER.fullmatch(name) is None:
        raise UsageError("That is not a header's name.", hint="It has letters, digits and - in it.")


def check_header(name: str, value: str) -> None:
    """Refuse a header that could not be sent, or that would carry a key in clear."""
    from catalog.redact import SECRET_HEADERS

    check_header_name(name)
    if any(ord(character) < 32 or ord(character) == 127 for character in value) or not value.isascii():
        raise UsageError(f"The header {name} has a value that cannot be sent.", hint="It takes plain ASCII.")
    if name.lower() in SECRET_HEADERS:
        raise UsageError(
            f"The header {name} is a secret and is not kept in clear.", hint=f"Use --secret-header {name}."
        )


def check_proxy(url: str) -> bool:
    """Refuse what is no proxy URL; True when it holds a password."""
    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.hostname:
        raise UsageError(
            "A proxy looks like http://proxy.example:3128.", hint="User and password go before an @."
        )
    return split.username is not None or split.password is not None


def _amount(value: Decimal, option: str) -> Decimal:
    if not value.is_finite() or value < 0:
        raise UsageError(f"{option} takes a number from 0 up.", hint="For example 1.20.")
    if 0 < value < Decimal("1e-9"):
        raise UsageError(
            f"{option}: less than a nano-dollar (0.000000001) cannot be counted.", hint="0 is nothing."
        )
    return value


def _default_name(slug: str, vendor: str | None) -> str:
    return vendor if vendor and slugged(vendor) == slug else slug


def _host(url: str) -> str:
    """A name out of an address: `llm.example`, and for this machine `local-8080`, as an IP address says nothing."""
    split = urlsplit(url)
    host = "local" if is_loopback(split.hostname or "") else split.hostname or ""
    return f"{host}-{split.port}" if split.port else host
