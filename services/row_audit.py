"""What the audit log shows of a provider's row: fields before and after, and where its key is, never a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.providers import ProviderRow

_FIELDS = (
    "name", "dialect", "catalog_id", "endpoint", "region", "enabled", "headers", "options", "labels", "timeout_s",
    "retries", "ca_file", "allow_http", "tls_min", "cost_mode", "gpu_hour_nanos", "discount_pct", "default_model",
    "auto_sync",
)  # fmt: skip
"""`secret_headers` and `proxy` are shown by name only, since they lead to secrets."""
_EMPTY: tuple[object, ...] = (None, {}, False)


def shown(row: ProviderRow) -> dict[str, object]:
    """The fields of a row that say something."""
    return {name: value for name in _FIELDS if (value := getattr(row, name)) not in _EMPTY} | _secret_names(
        row
    )


def difference(before: ProviderRow, after: ProviderRow) -> dict[str, object]:
    """`{"before": {…}, "after": {…}}` of the fields that differ."""
    old = {name: getattr(before, name) for name in _FIELDS} | _secret_names(before)
    new = {name: getattr(after, name) for name in _FIELDS} | _secret_names(after)
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return {
        "before": {name: old.get(name) for name in changed},
        "after": {name: new.get(name) for name in changed},
    }


def key_detail(row: ProviderRow) -> dict[str, object]:
    """Where the key is and its last four characters."""
    return {"key": row.key_ref, "key_last4": row.key_last4}


def admin_detail(row: ProviderRow) -> dict[str, object]:
    """Where the account's key is and its last four characters."""
    return {"key": row.admin_ref, "key_last4": row.admin_last4}


def _secret_names(row: ProviderRow) -> dict[str, object]:
    names: dict[str, object] = {}
    if row.secret_headers:
        names["secret_headers"] = sorted(row.secret_headers)
    if row.proxy is not None:
        names["proxy"] = row.proxy if "://" in row.proxy else "with a password"
    return names
