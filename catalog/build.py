"""Makes the bundled data from a facts file: `python -m catalog.build FACTS OUT_DIR [id …]`, same facts, same bytes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from catalog.catwalk import provider_from
from catalog.types import CatalogProvider, ModelInfo
from catalog.vendor_options import SLOW_STARTS, VENDOR_OPTIONS

DETECTION_NAME = "detection_facts.json"
"""Looked for beside the facts; without it the detection and pattern tables are left as they are."""

_PATTERN_LISTS = (
    "not_chat",
    *(f"{kind}_{rule}" for kind in ("tools", "vision", "reason") for rule in ("allow", "deny")),
)

_AZURE_TOO = (
    r"^https?://[^/]+\.api\.cognitive\.microsoft\.(?:com|us)(/|$)",
    r"^https?://[^/]+\.(?:openai|cognitiveservices)\.azure\.(?:us|cn)(/|$)",
)
"""Regional endpoints and sovereign clouds of Azure, which the facts do not hold."""
_NO_ADDRESS = {"huggingface": ("HF_ENDPOINT",)}
"""Variables that the facts take for an address of the API, and that say where something else is: the hub."""
_SERVER_VENDORS = ("ollama", "lmstudio", "vllm", "llamacpp")
"""Local servers that are vendors of the catalog by the same id."""


def build(facts: Path, out: Path, ids: Sequence[str] = ()) -> list[Path]:
    """Writes one file per vendor and the index; returns what was written. No ids: every vendor of the facts."""
    raw = json.loads(facts.read_text("utf-8"), parse_float=Decimal)
    by_id = {provider["id"]: provider for provider in raw["providers"]}
    missing = [provider_id for provider_id in ids if provider_id not in by_id]
    if missing:
        raise SystemExit(f"not in {facts.name}: {', '.join(missing)}")
    out.mkdir(parents=True, exist_ok=True)
    providers = [_with_options(provider_from(by_id[provider_id])) for provider_id in ids or by_id]
    if wrong := [words for provider in providers for words in problems(provider, raw["generated_at"])]:
        raise SystemExit("\n".join(wrong))
    written = [_write(out / f"{provider.id}.json", _provider_text(provider)) for provider in providers]
    specs = [_plain(provider, skip=("models",)) for provider in providers]
    written.append(_write(out / "index.json", _lines({"facts": raw["generated_at"]}, "providers", specs)))
    detection = facts.with_name(DETECTION_NAME)
    if detection.is_file():
        written += _detection(json.loads(detection.read_text("utf-8")), out)
    return written


def _with_options(provider: CatalogProvider) -> CatalogProvider:
    """With what is known of its wire, which the facts do not hold."""
    env, elsewhere = provider.env, _NO_ADDRESS.get(provider.id, ())
    said = {
        "options": VENDOR_OPTIONS.get(provider.id, {}),
        "slow_start": provider.id in SLOW_STARTS,
        "env": env.model_copy(
            update={
                "base_url": tuple(name for name in env.base_url if name not in elsewhere),
                "other": (*env.other, *(name for name in env.base_url if name in elsewhere)),
            }
        ),
    }
    return provider.model_copy(update=said)


def problems(provider: CatalogProvider, day: str) -> list[str]:
    """What must not ship: a model named twice, a default that is not there or is gone on this day (ISO)."""
    found = []
    by_id = {model.id: model for model in provider.models}
    if len(by_id) < len(provider.models):
        found.append(f"{provider.id}: a model id is there twice")
    for kind, model_id in (("default", provider.default_model), ("small", provider.small_model)):
        if model_id is None:
            continue
        if model_id not in by_id:
            found.append(f"{provider.id}: the {kind} model {model_id} is not in the list")
        elif by_id[model_id].retired_on(day):
            found.append(f"{provider.id}: the {kind} model {model_id} is retired")
    return found


def _provider_text(provider: CatalogProvider) -> str:
    return _lines(_plain(provider, skip=("models",)), "models", [_model(model) for model in provider.models])


def _model(model: ModelInfo) -> dict[str, Any]:
    """A model with its sources kept source by source, which is a third of the size."""
    plain = _plain(model)
    sources: dict[str, list[str]] = {}
    for field, source in sorted(model.sources.items()):
        sources.setdefault(source, []).append(field)
    plain.pop("sources", None)
    return plain | ({"sources": sources} if sources else {})


def _detection(raw: dict[str, Any], out: Path) -> list[Path]:
    urls = [
        {
            "regex": pattern["regex"],
            "vendor": pattern["provider_id"],
            "dialect": pattern["type"],
            "confidence": pattern["confidence"],
        }
        for pattern in raw["url_patterns"]
    ]
    urls += [
        {"regex": regex, "vendor": "azure", "dialect": "azure", "confidence": "high"} for regex in _AZURE_TOO
    ]
    head = {
        "facts": raw["generated_at"],
        "local_servers": [_server(server) for server in raw["local_servers"]],
        "ambiguous_variables": [
            {"variable": variable["var"], "may_be": variable["may_be"]}
            for variable in raw["env_vars"]["ambiguous"]
        ],
        "key_prefixes": raw["key_prefix_match_order"],
    }
    patterns = {name: raw["capability_patterns"][name] for name in _PATTERN_LISTS}
    return [
        _write(out / "detection.json", _lines(head, "url_patterns", urls)),
        _write(out / "patterns.json", json.dumps(patterns, indent=1, ensure_ascii=False) + "\n"),
    ]


def _server(raw: dict[str, Any]) -> dict[str, Any]:
    vendor = {"vendor": raw["server"]} if raw["server"] in _SERVER_VENDORS else {}
    kept = {name: raw[name] for name in ("list", "detail") if name in raw}
    return {"server": raw["server"], "port": raw["default_port"], "probes": raw["probes"], **kept, **vendor}


def _plain(value: BaseModel, skip: Iterable[str] = ()) -> dict[str, Any]:
    """A value as JSON would have it, without what is empty; amounts of money as decimal strings."""
    dumped = value.model_dump(mode="python", exclude_defaults=True, exclude=set(skip))
    plain = _json(dumped)
    assert isinstance(plain, dict)
    return plain


def _json(value: object) -> object:
    match value:
        case Decimal():
            return f"{value:f}"
        case dict():
            return {key: _json(item) for key, item in value.items()}
        case list() | tuple():
            return [_json(item) for item in value]
        case _:
            return value


def _lines(head: dict[str, Any], name: str, items: Sequence[dict[str, Any]]) -> str:
    """JSON with one item to a line, so that a change of one model is a change of one line."""
    opening = "".join(f" {_text(key)}: {_text(value)},\n" for key, value in head.items())
    body = ",\n".join(f"  {_text(item)}" for item in items)
    return "{\n" + opening + f' "{name}": [' + (f"\n{body}\n ]" if items else "]") + "\n}\n"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def _write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def main(arguments: Sequence[str]) -> int:
    if len(arguments) < 2:
        sys.stderr.write("usage: python -m catalog.build FACTS OUT_DIR [id …]\n")
        return 2
    for path in build(Path(arguments[0]), Path(arguments[1]), arguments[2:]):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
