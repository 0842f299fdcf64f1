"""What LACE, LoquiLex and provider lists say: their own field names, units and places for keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import SwitchroomError
from services.transfer_catalog import in_folder
from services.transfer_fields import Fields, secret
from services.transfer_read import Document, safe, unknown_format
from services.transfer_types import Found, FoundProvider, Remark, Value

if TYPE_CHECKING:
    from pydantic import SecretStr

LACE_RETRIES: Mapping[str, int | None] = {
    "none": 0, "no-retry": 0, "default": None, "exponential-backoff": None, "exponential": None,
}  # fmt: skip
"""LACE's retry policies → attempts after the first; None: as the settings say, which is what they mean."""
HUGGINGFACE = ("huggingface", "hf")


def is_lace(data: Any) -> bool:
    """`{"version": "1.0", "instances": {…}}`."""
    return isinstance(data, dict) and isinstance(data.get("instances"), dict)


def is_loquilex(data: Any) -> bool:
    """`{"providers": {"huggingface": {…}}, "backend": {"offline": …}}`."""
    if not isinstance(data, dict):
        return False
    providers = data.get("providers")
    return isinstance(providers, dict) and (
        "backend" in data or any(name in providers for name in HUGGINGFACE)
    )


def is_list(data: Any) -> bool:
    """One provider, or a list of them, with `base_url` or `provider_type`."""
    one = data[0] if isinstance(data, list) and data else data
    if isinstance(one, dict) and isinstance(one.get("providers"), list):
        return True
    return isinstance(one, dict) and "name" in one and bool({"base_url", "provider_type"} & set(one))


def read_lace(document: Document) -> Found:
    """LACE: the instances, the key files beside them, and its user catalog."""
    from services.drafts import ProviderDraft, free_slug

    remarks: list[Remark] = []
    top = Fields(document, document.data, (), remarks)
    if top.raw("version") not in (None, "1.0", 1, 1.0):
        top.remark(
            "warning", "This is a version of the file that is not known; what can be read is.", "version"
        )
    folder = document.file.parent
    described = {one.vendor.id: one for one in in_folder(folder / "user-catalog", remarks)}
    providers: list[FoundProvider] = []
    slugs: set[str] = set()
    instances = top.table("instances")
    for name in instances.names() if instances else ():
        one = instances.table(name) if instances else None
        if one is None:
            continue
        slug = mapped(one, free_slug(name, slugs))
        slugs.add(slug)
        kind = one.text("catalogProviderId", "catalogId")
        retry = (one.text("retryPolicy") or "default").lower()
        if retry not in LACE_RETRIES:
            one.remark(
                "left out",
                f"The retry policy “{safe(retry, 30)}” of {slug} is not known; the settings' is used.",
                "retryPolicy",
            )
        vendor = described.get(kind or "")
        spec = vendor.vendor if vendor else None
        draft = ProviderDraft(
            slug=slug,
            type=spec.dialect if spec else kind,
            url=one.text("endpoint") or (spec.endpoint if spec else None),
            name=one.text("displayName"),
            timeout_s=one.span("timeout", milliseconds=True),
            retries=LACE_RETRIES.get(retry),
        )
        one.raw("modelConfig")
        if "modelConfig" in one:
            one.remark(
                "left out", f"The modelConfig of {slug}: models are chosen here one by one.", "modelConfig"
            )
        one.rest()
        key = _lace_key(folder, name, slug, remarks)
        providers.append(
            FoundProvider(draft, one.line, key, vendor=kind if vendor else None, vendor_file=vendor.name if vendor else None)
        )  # fmt: skip
    top.rest()
    used = {provider.vendor_file for provider in providers}
    files = {vendor.name: vendor for vendor in described.values() if vendor.name in used}
    return Found("lace", document.file, tuple(providers), catalog_files=files, remarks=tuple(remarks))


def read_loquilex(document: Document) -> Found:
    """LoquiLex: the Hugging Face token and the offline switch."""
    from services.drafts import ProviderDraft, free_slug

    remarks: list[Remark] = []
    top = Fields(document, document.data, (), remarks)
    providers: list[FoundProvider] = []
    settings: dict[str, Value] = {}
    table = top.table("providers")
    slugs: set[str] = set()
    for name in table.names() if table else ():
        one = table.table(name) if table else None
        if one is None:
            continue
        known = name.lower() in HUGGINGFACE
        slug = mapped(one, free_slug("huggingface" if known else name, slugs))
        slugs.add(slug)
        draft = ProviderDraft(
            slug=slug,
            type="huggingface" if known else None,
            name="Hugging Face" if known else None,
            url=one.text("base_url", "endpoint"),
        )
        key = one.key("token", "api_key", "apiKey")
        enabled = one.flag("enabled")
        one.raw("has_token")
        one.rest()
        providers.append(FoundProvider(draft, one.line, key, key_needed=known, enabled=enabled))
    backend = top.table("backend")
    if backend is not None:
        offline = backend.flag("offline")
        if offline is not None:
            settings["network.offline"] = offline
        backend.raw("offline_enforced")
        backend.rest()
    top.rest()
    return Found(
        "loquilex", document.file, tuple(providers), settings=settings,
        defaults_only=frozenset(settings), remarks=tuple(remarks),
    )  # fmt: skip


def read_list(document: Document) -> Found:
    """A provider, or several, with `name`, `base_url`, `api_key`, `provider_type` and `auto_sync_enabled`."""
    from services.drafts import ProviderDraft, free_slug

    remarks: list[Remark] = []
    data, base = document.data, ()
    if isinstance(data, dict) and isinstance(data.get("providers"), list):
        data, base = data["providers"], ("providers",)  # type: ignore[assignment]
    entries = list(enumerate(data)) if isinstance(data, list) else [(None, data)]
    providers: list[FoundProvider] = []
    slugs: set[str] = set()
    for place, item in entries:
        path = base if place is None else (*base, place)
        if not isinstance(item, dict):
            raise unknown_format(document.file)
        one = Fields(document, item, path, remarks)
        slug = mapped(
            one,
            free_slug(one.text("name") or one.text("display_name") or "provider", slugs),
            one.text("name"),
        )
        slugs.add(slug)
        sync = one.flag("auto_sync_enabled")
        draft = ProviderDraft(
            slug=slug,
            type=_plain_type(one.text("provider_type", "type")),
            url=one.text("base_url"),
            name=one.text("display_name"),
            headers=one.texts("headers", "custom_headers") or None,
            auto_sync=None if sync is None else ("start" if sync else "off"),
        )
        one.raw("sync_status", "last_sync_at", "id", "api_key_encrypted")
        if "api_key_encrypted" in one:
            one.remark(
                "left out", f"The key of {slug} is encrypted for another program.", "api_key_encrypted"
            )
        key, enabled = one.key("api_key"), one.flag("enabled")
        one.rest()
        providers.append(
            FoundProvider(draft, one.line, key, key_needed="api_key_encrypted" in one, enabled=enabled)
        )
    return Found("json", document.file, tuple(providers), remarks=tuple(remarks))


def mapped(one: Fields, slug: str, given: str | None = None) -> str:
    """The slug; where the file's name is none, the user is told what it becomes."""
    name = one.own_name if given is None else given
    if name and name != slug:
        one.remark("note", f"“{safe(name, 40)}” is called {slug} here.")
    return slug


def _plain_type(kind: str | None) -> str | None:
    """Types that only say `OpenAI-compatible` leave it to the address."""
    return None if kind in ("openai-compatible", "openai_compatible", "custom", "auto") else kind


def _lace_key(folder: Path, name: str, slug: str, remarks: list[Remark]) -> SecretStr | None:
    """The key of `credentials/{id}.json`, from a file that nobody else can open; None where there is none."""
    from store.vault.private_file import read_private

    if "/" in name or "\0" in name or name.startswith("."):
        return None
    file = folder / "credentials" / f"{name}.json"
    try:
        content = read_private(file)
    except (SwitchroomError, ValueError) as error:
        words = error.message if isinstance(error, SwitchroomError) else "its name is no file's"
        if isinstance(error, SwitchroomError) and error.hint:
            words += f" Run: {error.hint}"
        remarks.append(Remark("warning", f"The key of {slug} is not taken: {safe(words, 600)}", file))
        return None
    if content is None:
        return None
    try:
        data = json.loads(content) if len(content) < 100_000 else None
    except (ValueError, RecursionError):
        data = None
    key = data.get("apiKey") if isinstance(data, dict) else None
    if not isinstance(key, str) or not key.strip():
        remarks.append(Remark("warning", f"The key of {slug} is not taken: the file has no apiKey.", file))
        return None
    if isinstance(data, dict) and (more := [safe(field, 40) for field in data if field != "apiKey"]):
        remarks.append(Remark("left out", f"{slug}: {', '.join(more[:5])} beside the key.", file))
    return secret(key.strip())
