"""How this configuration is written down: whole, in a form that is read back, and without a single secret."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from catalog.money import from_nanos
from services.clock import iso
from services.transfer_catalog import outgoing
from services.transfer_fields import duration
from services.transfer_own import MARK, VERSION
from services.transfer_read import safe, secretive
from services.transfer_types import Exported, Format

if TYPE_CHECKING:
    from services.container import Services
    from store.models import ModelRow
    from store.providers import ProviderRow

_HEAD = """# Switchroom configuration. It holds no key: `config import` ends with those still to set.
"""
_LOCAL_SETTINGS = ("network.proxy",)
"""Settings that may hold a password."""


async def export(services: Services, form: Format) -> Exported:
    """The configuration as text. What cannot be said without a secret, or not in that form, is named."""
    rows = await services.registry.rows()
    if form == "lace":
        return _lace(services, rows)
    if form == "loquilex":
        return _loquilex(services, rows)
    return await _own(services, rows)


async def _own(services: Services, rows: Sequence[ProviderRow]) -> Exported:
    from services.models import DEFAULT_KEY
    from store.budgets import Budgets
    from store.models import Models

    left: list[str] = []
    top: dict[str, Any] = {MARK: VERSION}
    chosen = await services.state.get(DEFAULT_KEY)
    if isinstance(chosen, str):
        top["default_model"] = chosen
    tables: list[tuple[str, Mapping[str, Any]]] = [("", top)]
    if settings := _settings(services, left):
        tables.append(("[settings]", settings))
    models: dict[str, list[ModelRow]] = {}
    for model in await Models(services.db).list():
        models.setdefault(model.provider, []).append(model)
    for row in rows:
        tables.append((f"[provider.{_key(row.slug)}]", _plain(_provider(row, left), left, row.slug)))
        for model in models.get(row.slug, ()):
            if choices := _choices(model):
                name = f"[provider.{_key(row.slug)}.models.{_key(model.id)}]"
                tables.append((name, _plain(choices, left, f"{row.slug}/{model.id}")))
    for limit in await Budgets(services.db).list():
        said = {
            "scope": limit.scope, "period": limit.period, "usd": _decimal(from_nanos(limit.limit_nanos)),
            "alert": limit.alert, "until": iso(limit.until),
        }  # fmt: skip
        tables.append(("[[limit]]", said))
    if files := await asyncio.to_thread(outgoing, services.paths.user_catalog, left):
        tables.append(("[user_catalog]", files))
    return Exported(
        _HEAD + "\n".join(_table(*table) for table in tables), "switchroom", len(rows), tuple(left)
    )


def _provider(row: ProviderRow, left: list[str]) -> dict[str, Any]:
    secret_proxy = row.proxy is not None and "://" not in row.proxy
    variable = row.key_ref[4:] if row.key_ref and row.key_ref.startswith("env:") else None
    if row.key_ref and variable is None:
        left.append(f"the key of {row.slug}")
    if secret_proxy:
        left.append(f"the proxy of {row.slug}, which has a password")
    for name, ref in row.secret_headers.items():
        if not ref.startswith("env:"):
            left.append(f"the secret header {safe(name)} of {row.slug}")
    return {
        "name": row.name,
        "dialect": row.dialect,
        "vendor": row.catalog_id or "",
        "base_url": row.endpoint,
        "api_key": f"${{{variable}}}" if variable else None,
        "key_needed": bool(row.key_ref and variable is None) or None,
        "enabled": None if row.enabled else False,
        "region": row.region,
        "timeout": duration(row.timeout_s) if row.timeout_s is not None else None,
        "retries": row.retries,
        "proxy": None if secret_proxy else row.proxy,
        "proxy_needed": secret_proxy or None,
        "ca_file": row.ca_file,
        "allow_http": row.allow_http or None,
        "tls_min": row.tls_min,
        "cost": row.cost_mode,
        "gpu_hour": None if row.gpu_hour_nanos is None else _decimal(from_nanos(row.gpu_hour_nanos)),
        "discount": row.discount_pct,
        "default_model": row.default_model,
        "sync": row.auto_sync,
        "headers": row.headers or None,
        "options": row.options or None,
        "labels": row.labels or None,
        "secret_headers": {name: f"${{{ref[4:]}}}" if ref.startswith("env:") else "" for name, ref in row.secret_headers.items()} or None,
    }  # fmt: skip


def _choices(model: ModelRow) -> dict[str, Any]:
    """What the user decided about a model; empty: nothing."""
    from catalog.capabilities import read_asked
    from services.merging import parse_facts, parse_price

    said = {name: asked.can for name, asked in read_asked(model.probed_json).items() if asked.by == "user"}
    price = parse_price(model.typed_price_json)
    found = {
        "enabled": None if model.enabled else False,
        "map_to": model.map_to,
        "cost": model.cost_mode,
        "gpu_hour": None if model.gpu_hour_nanos is None else _decimal(from_nanos(model.gpu_hour_nanos)),
        "price": price.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        if price is not None
        else None,
        "can": said or None,
        **parse_facts(model.typed_facts_json),
    }
    return {name: value for name, value in found.items() if value is not None}


def _settings(services: Services, left: list[str]) -> dict[str, Any]:
    """What stands in config.toml, by full name; variables of the environment are this machine's own."""
    from services.settings import source, value_of

    settings = services.settings
    found: dict[str, Any] = {}
    for name in settings.sources:
        if source(settings, name) != "config.toml":
            continue
        value = value_of(settings, name)
        value = "none" if value is None else value
        if (name in _LOCAL_SETTINGS and "@" in str(value)) or secretive(value):
            left.append(f"the setting {name}, which has a password")
        else:
            found[name] = value
    return found


def _plain(values: Mapping[str, Any], left: list[str], whose: str) -> dict[str, Any]:
    """The values without those that look like a key, whoever put one where none belongs."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and name not in ("price", "can"):
            named = name in ("headers", "options")
            kept = {key: text for key, text in value.items() if not secretive(text, key if named else "") and not secretive(key)}  # fmt: skip
            if len(kept) < len(value):
                left.append(f"a value in {name} of {safe(whose)} that looks like a key")
            if kept:
                found[name] = kept
        elif secretive(value) and name not in ("api_key", "dialect", "vendor"):
            left.append(f"{name} of {safe(whose)}, which looks like a key")
        elif value is not None:
            found[name] = value
    return found


def _lace(services: Services, rows: Sequence[ProviderRow]) -> Exported:
    """LACE's provider-instances.json; its credential files are not written."""
    left: list[str] = []
    instances: dict[str, Any] = {}
    for row in rows:
        spec = services.catalog.spec(row.catalog_id)
        one: dict[str, Any] = {"displayName": row.name, "catalogProviderId": row.catalog_id or row.dialect}
        if spec is None or spec.endpoint.rstrip("/") != row.endpoint:
            one["endpoint"] = row.endpoint
        if row.timeout_s is not None:
            one["timeout"] = max(1, round(row.timeout_s * 1000))
        if row.retries == 0:
            one["retryPolicy"] = "none"
        instances[row.slug] = _plain(one, left, row.slug)
        if row.key_ref:
            left.append(f"the key of {row.slug} (credentials/{row.slug}.json)")
        if beyond := _beyond(row):
            left.append(f"{', '.join(beyond)} of {row.slug}, which LACE does not know")
    return Exported(_json({"version": "1.0", "instances": instances}), "lace", len(instances), tuple(left))


def _loquilex(services: Services, rows: Sequence[ProviderRow]) -> Exported:
    """LoquiLex's providers.json, which knows Hugging Face only."""
    left: list[str] = []
    mine = [row for row in rows if row.dialect == "huggingface" or row.catalog_id == "huggingface"]
    if mine and mine[0].key_ref:
        left.append(f"the token of {mine[0].slug}")
    left += [f"{row.slug}, which LoquiLex does not know" for row in rows if row not in mine[:1]]
    token: dict[str, Any] = {"token": None, "enabled": bool(mine) and mine[0].enabled}
    document = {
        "providers": {"huggingface": token},
        "backend": {"offline": services.settings.network.offline},
    }
    return Exported(_json(document), "loquilex", len(mine[:1]), tuple(left))


def _beyond(row: ProviderRow) -> list[str]:
    said = {
        "headers": row.headers or row.secret_headers, "options": row.options, "labels": row.labels, "proxy": row.proxy,
        "cost": row.cost_mode or row.discount_pct, "default model": row.default_model, "being off": not row.enabled,
        "retries": row.retries,
    }  # fmt: skip
    return [name for name, value in said.items() if value]


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"


def _decimal(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _table(header: str, values: Mapping[str, Any]) -> str:
    lines = [header] if header else []
    lines += [f"{_key(name)} = {_toml(value)}" for name, value in values.items() if value is not None]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    bare = name and name.isascii() and all(letter.isalnum() or letter in "-_" for letter in name)
    return name if bare else _text(name)


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case Decimal():
            return _text(_decimal(value))
        case str() if _is_page(value):
            return f"'''\n{value}'''"
        case str():
            return _text(value)
        case Mapping():
            return f"{{ {', '.join(f'{_key(name)} = {_toml(item)}' for name, item in value.items() if item is not None)} }}"
        case Iterable():
            return f"[{', '.join(_toml(item) for item in value)}]"
    raise TypeError(type(value).__name__)


def _is_page(text: str) -> bool:
    """Whether a text is several lines that can stand as they are, such as a file of the user catalog."""
    return "\n" in text and "'" not in text and text.replace("\n", "").isprintable()


def _text(text: str) -> str:
    """A TOML text in which nothing steers a terminal or an editor; a lone surrogate becomes U+FFFD."""
    escaped = "".join(_escaped(letter) for letter in text)
    return f'"{escaped}"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    code = ord(letter)
    code = 0xFFFD if 0xD800 <= code <= 0xDFFF else code
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
