"""The user's own catalog files: our schema or Catwalk's; a bad file is named with line and reason and skipped."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from catalog import bundled
from catalog.catwalk import BadCatalogError, provider_from, stated_capabilities
from catalog.plaintext import harmless, one_line
from catalog.positions import line_of
from catalog.types import CatalogProvider, ModelInfo

_MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file was skipped."""

    file: Path
    line: int | None
    """1 is the first; None when the file could not be read at all."""
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.reason}"


@dataclass(frozen=True)
class UserCatalog:
    """What the user's files say."""

    providers: dict[str, CatalogProvider] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @cached_property
    def models(self) -> dict[str, dict[str, ModelInfo]]:
        """Provider id → model id → what the user says about it."""
        return {name: {model.id: model for model in found.models} for name, found in self.providers.items()}


def load_user(directory: Path) -> UserCatalog:
    """Reads every `*.json` of the directory, by name; a directory that is not there is empty.

    Hidden files are passed over: editors and archives leave theirs beside the one that is meant.
    """
    providers: dict[str, CatalogProvider] = {}
    problems: list[Problem] = []
    try:
        names = sorted(
            path.name
            for path in directory.iterdir()
            if path.suffix == ".json" and not path.name.startswith(".")
        )
    except FileNotFoundError:
        return UserCatalog()
    except OSError as error:
        return UserCatalog({}, (Problem(directory, None, _os_reason(error)),))
    for path in (directory / name for name in names):
        try:
            found = _load(path)
        except _SkippedError as skipped:
            problems.append(Problem(path, skipped.line, skipped.reason))
            continue
        if found.id in providers:
            problems.append(Problem(path, 1, f"another file already describes `{one_line(found.id)}`"))
        else:
            providers[found.id] = found
    return UserCatalog(providers, tuple(problems))


class _SkippedError(Exception):
    def __init__(self, line: int | None, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def understood(path: Path, text: str) -> CatalogProvider | Problem:
    """What the text of such a file says; the problem where it cannot be used."""
    try:
        return _described(path, text)
    except _SkippedError as skipped:
        return Problem(path, skipped.line, skipped.reason)


def _load(path: Path) -> CatalogProvider:
    return _described(path, _text(path))


def _described(path: Path, text: str) -> CatalogProvider:
    try:
        raw = _clean(json.loads(text, parse_float=Decimal, parse_constant=_no_constant))
    except json.JSONDecodeError as error:
        raise _SkippedError(error.lineno, f"not valid JSON: {error.msg}") from None
    except ValueError as error:
        raise _SkippedError(1, f"not valid JSON: {one_line(str(error))}") from None
    except RecursionError:
        raise _SkippedError(1, "not valid JSON for a catalog: nested too deeply") from None
    if not isinstance(raw, dict):
        raise _SkippedError(1, "the file must hold one JSON object")
    raw = {"id": path.stem} | raw
    try:
        return _read(raw)
    except BadCatalogError as error:
        raise _SkippedError(line_of(text, error.where), one_line(error.reason)) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        reason = one_line(f"`{where}`: {first['msg']}")
        raise _SkippedError(line_of(text, first["loc"]), reason) from None
    except (TypeError, AttributeError, ValueError):
        raise _SkippedError(1, "a part of the vendor has the wrong form") from None


def _read(raw: dict[str, Any]) -> CatalogProvider:
    """Ours has `dialect`; everything else is read as Catwalk's, what it leaves out taken from the bundled vendor."""
    base = bundled.spec(raw["id"]) if isinstance(raw["id"], str) else None
    if "dialect" not in raw:
        found = provider_from(raw, base)
        models = (_own(info, model) for info, model in zip(found.models, raw.get("models", ()), strict=True))
        return found.model_copy(update={"models": tuple(models)})
    for model in raw.get("models", ()):
        if isinstance(model, dict):
            model.pop("sources", None)  # what a file says about its origins does not matter: it is the user's
    known = base.model_dump(mode="json") if base is not None else {}
    return CatalogProvider.model_validate(known | raw)


def _own(info: ModelInfo, raw: dict[str, Any]) -> ModelInfo:
    """The model without what the file says about origins, and with the capabilities it speaks of one by one."""
    return info.model_copy(
        update={"sources": {f"capabilities.{name}": "user" for name in stated_capabilities(raw)}}
    )


def _text(path: Path) -> str:
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):  # a pipe would be waited for without end
            raise _SkippedError(None, "not a file")
        if info.st_size > _MAX_BYTES:
            raise _SkippedError(None, "larger than 32 MiB")
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise _SkippedError(None, _os_reason(error)) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _SkippedError(line, "not UTF-8 text") from None


def _clean(value: Any) -> Any:
    """The same value with every string harmless on a terminal."""
    match value:
        case str():
            return harmless(value)
        case dict():
            return {harmless(key): _clean(item) for key, item in value.items()}
        case list():
            return [_clean(item) for item in value]
        case _:
            return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _os_reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
