"""What a Switchroom export says, read back: every field of a provider, models' choices, limits and settings, no secret."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from catalog.errors import UsageError
from services.transfer_catalog import incoming
from services.transfer_fields import Fields, reference
from services.transfer_read import Document, safe
from services.transfer_types import (
    Found,
    FoundLimit,
    FoundModel,
    FoundProvider,
    ImportProblemError,
    Remark,
    Value,
)

if TYPE_CHECKING:
    from catalog.types import Price

MARK = "switchroom"
VERSION = 1


def is_own(data: Any) -> bool:
    """`switchroom = 1` at the top."""
    return isinstance(data, dict) and MARK in data and not isinstance(data[MARK], dict)


def read_own(document: Document) -> Found:
    """The whole export."""
    remarks: list[Remark] = []
    top = Fields(document, document.data, (), remarks, expands=False)
    version = top.whole(MARK, low=1)
    if version is None or version > VERSION:
        raise ImportProblemError(
            f"{safe(document.file, 200)} was written by a newer Switchroom.",
            hint="Bring this one up to date first.",
        )
    providers = tuple(_providers(top))
    limits = tuple(_limits(top))
    settings = dict(_settings(top))
    default = top.text("default_model")
    table = top.table("user_catalog")
    texts = {name: table.raw(name) for name in table.names()} if table else {}
    vendors = incoming(document.file, {name: text for name, text in texts.items() if text != ""}, remarks)
    described = {one.vendor.id: one.name for one in vendors}
    top.rest()
    return Found(
        "switchroom", document.file,
        tuple(replace(one, vendor_file=described.get(one.vendor or "")) for one in providers), limits, settings,
        default_model=default, catalog_files={one.name: one for one in vendors},
        catalog_names=tuple(name for name, text in texts.items() if text == ""), remarks=tuple(remarks),
    )  # fmt: skip


def _providers(top: Fields) -> Iterator[FoundProvider]:
    tables = top.table("provider")
    for name in tables.names() if tables else ():
        one = tables.table(name) if tables else None
        if one is not None and (found := _provider(one, name)) is not None:
            yield found


def _provider(one: Fields, name: str) -> FoundProvider | None:
    from services.drafts import ProviderDraft, check_slug

    try:
        check_slug(name)
    except UsageError as error:
        one.remark("refused", f"“{safe(name, 40)}”: {error.message}")
        return None
    headers = {header: _variable(value) for header, value in one.texts("secret_headers").items()}
    options, labels, plain = one.texts("options"), one.texts("labels"), one.texts("headers")
    draft = ProviderDraft(
        slug=name,
        type=one.text("dialect"),
        url=one.text("base_url"),
        name=one.text("name"),
        region=one.text("region"),
        labels=labels or None,
        headers=plain or None,
        options=options or None,
        timeout_s=one.span("timeout"),
        retries=one.whole("retries", high=20),
        proxy=one.text("proxy"),
        ca_file=one.text("ca_file"),
        allow_http=one.flag("allow_http"),
        tls_min=one.text("tls_min"),
        cost_mode=one.text("cost"),
        gpu_hour=one.money("gpu_hour"),
        discount_pct=one.money("discount"),
        auto_sync=one.text("sync"),
        default_model=one.text("default_model"),
    )
    vendor = one.raw("vendor")
    found = FoundProvider(
        draft,
        one.line,
        one.key("api_key"),
        key_needed=bool(one.flag("key_needed")),
        enabled=one.flag("enabled"),
        vendor=vendor if isinstance(vendor, str) else "",
        secret_headers=headers,
        proxy_needed=bool(one.flag("proxy_needed")),
        models=tuple(_models(one)),
    )
    one.rest()
    return found


def _variable(value: str) -> str | None:
    found = reference(value)
    return found.name if found else None


def _models(one: Fields) -> Iterator[FoundModel]:
    table = one.table("models")
    for name in table.names() if table else ():
        model = table.table(name) if table else None
        if model is None:
            continue
        if not 0 < len(name) <= 300 or "\0" in name:
            model.remark("left out", "That is no name of a model.")
            continue
        cost = model.text("cost")
        if cost not in (None, "metered", "own", "flat"):
            model.wrong("cost", "metered, own or flat")
            cost = None
        found = FoundModel(
            name,
            model.flag("enabled"),
            model.text("map_to"),
            cost,
            model.money("gpu_hour"),
            _price(model),
            _can(model),
            _facts(model),
        )
        model.rest()
        yield found


def _facts(model: Fields) -> dict[str, str | int]:
    from services.merging import MOST_TOKENS

    told = {
        "name": model.text("name"),
        "context_window": model.whole("context_window", low=1, high=MOST_TOKENS),
        "max_output": model.whole("max_output", low=1, high=MOST_TOKENS),
    }
    return {field: value for field, value in told.items() if value is not None}


def _can(model: Fields) -> dict[str, bool] | None:
    from catalog.types import CAPABILITIES

    table = model.table("can")
    if table is None:
        return None
    said = {name: table.flag(name) for name in CAPABILITIES}
    table.rest()
    return {name: can for name, can in said.items() if can is not None}


def _price(model: Fields) -> Price | None:
    from pydantic import ValidationError

    from catalog.types import Price

    value = model.raw("price")
    if value is None:
        return None
    try:
        return Price.model_validate(value)
    except (ValidationError, RecursionError):
        model.wrong("price", 'a price such as { input = "2.50", output = "10" }')
        return None


def _limits(top: Fields) -> Iterator[FoundLimit]:
    from services.budgets import DEFAULT_ALERT, PERIODS
    from services.clock import parse_when

    for one in top.tables("limit"):
        scope, period, usd = one.text("scope"), one.text("period"), one.money("usd")
        alert, until_text = one.number("alert"), one.text("until")
        one.rest()
        until: int | None = None
        try:
            until = parse_when(until_text) if until_text else None
        except UsageError:
            one.wrong("until", "a time such as 2026-12-31T00:00Z")
            continue
        alert = DEFAULT_ALERT if alert is None else alert
        if scope is None or period not in PERIODS or usd is None or not 0 < alert <= 1:
            one.remark(
                "refused", "A limit takes scope, period (daily or monthly), usd, and an alert share up to 1."
            )
            continue
        yield FoundLimit(scope, period, usd, alert, until, one.line)


def _settings(top: Fields) -> Iterator[tuple[str, Value]]:
    from services.settings import names
    from services.settings_model import KEYS

    table = top.table("settings")
    known = set(names())
    for name in table.names() if table else ():
        value = table.raw(name) if table else None
        if table is None or not isinstance(value, bool | int | float | str):
            table.wrong(name, "a single value") if table else None
        elif name in known or name.startswith(f"{KEYS}."):
            yield name, value
        else:
            table.remark("left out", f"There is no setting {safe(name, 60)} here.", name)
