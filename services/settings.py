"""How settings are read: defaults < config.toml < config/.env < environment, and what is refused."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import get_args

from pydantic import BaseModel, ValidationError

from catalog.errors import StoreError, UsageError
from catalog.redact import redact
from services.paths import Paths
from services.settings_model import Settings

PREFIX = "SWITCHROOM_"

SHORT_NAMES = {
    "SWITCHROOM_OFFLINE": "network.offline",
    "LX_OFFLINE": "network.offline",
    "SWITCHROOM_READ_ONLY": "security.read_only",
    "SWITCHROOM_VAULT_KEY_FILE": "security.vault_key_file",
    "SWITCHROOM_LOG_LEVEL": "log.level",
}
"""Variables with a name of their own → the setting they are."""

HOME = "SWITCHROOM_HOME"
"""Moves the folders, so it can only come from the environment."""


@dataclass(frozen=True, slots=True)
class SettingView:
    """One setting as it is shown."""

    name: str
    sentence: str
    default: object
    value: object
    source: str
    """`default`, `config.toml`, `.env`, or the variable of the environment."""


@dataclass(frozen=True, slots=True)
class _Given:
    """A value somebody gave, and where."""

    value: object
    source: str
    label: str
    """How an error names it: file or variable, never the value."""


def load(paths: Paths, environ: Mapping[str, str] | None = None) -> Settings:
    """Read all sources. A name nobody knows, or a value that does not fit, is a UsageError that prints no value."""
    environ = os.environ if environ is None else environ
    given: dict[str, _Given] = {}
    given.update(_from_toml(paths.config_file))
    given.update(_from_variables(_dotenv(paths.env_file), ".env", paths.env_file.name))
    given.update(_from_variables(environ, None, "the environment"))
    tree: dict[str, dict[str, object]] = {}
    for name, entry in given.items():
        section, field = name.split(".", 1)
        tree.setdefault(section, {})[field] = entry.value
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise _refusal(error, given) from None
    settings._sources.update({name: entry.source for name, entry in given.items()})  # noqa: SLF001
    return settings


def describe(settings: Settings) -> list[SettingView]:
    """Every setting with its sentence, default, value and source."""
    views = []
    for section, model in _sections():
        values = getattr(settings, section)
        for field, info in model.model_fields.items():
            name = f"{section}.{field}"
            value = getattr(values, field)
            views.append(
                SettingView(
                    name,
                    info.description or "",
                    info.default,
                    redact(value) if isinstance(value, str) else value,
                    source(settings, name),
                )
            )
    return views


def source(settings: Settings, name: str) -> str:
    """Where a setting's value came from."""
    return settings._sources.get(name, "default")  # noqa: SLF001


def names() -> list[str]:
    """Every setting's name, as `section.field`."""
    return [f"{section}.{field}" for section, model in _sections() for field in model.model_fields]


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.replace(".", "__").upper()


def _sections() -> Iterator[tuple[str, type[BaseModel]]]:
    for section, info in Settings.model_fields.items():
        model = info.annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        yield section, model


def _from_toml(path: Path) -> dict[str, _Given]:
    if not path.exists():
        return {}
    import tomllib

    try:
        document = tomllib.loads(_read(path))
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at (line \d+, column \d+|end of document)", str(error))
        where = f" at {place.group(1)}" if place else ""
        raise UsageError(
            f"{path} is not valid TOML{where}.", hint="Correct the file, or move it away."
        ) from None
    given: dict[str, _Given] = {}
    known = set(names())
    for section, table in document.items():
        if not isinstance(table, dict):
            raise _unknown(section, path.name, {name.split(".")[0] for name in known})
        for field, value in table.items():
            name = f"{section}.{field}"
            if name not in known:
                raise _unknown(name, path.name, known)
            given[name] = _Given(_none(name, value), "config.toml", path.name)
    return given


def _dotenv(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    from io import StringIO

    from dotenv import dotenv_values

    values = dotenv_values(stream=StringIO(_read(path)), interpolate=False)
    return {name: value for name, value in values.items() if value is not None}


def _from_variables(variables: Mapping[str, str], source: str | None, where: str) -> dict[str, _Given]:
    """The settings among these variables; foreign ones are none of our business."""
    by_variable = {variable(name): name for name in names()}
    given: dict[str, _Given] = {}
    for key, value in sorted(variables.items(), key=lambda item: (item[0] not in SHORT_NAMES, item[0])):
        if source is not None and not key.startswith(PREFIX):
            continue
        name = SHORT_NAMES.get(key) or by_variable.get(key)
        if name is not None:
            if value != "" or key not in SHORT_NAMES:
                given[name] = _Given(_none(name, value), source or key, f"{key} in {where}")
        elif key == HOME and source is None:
            continue
        elif key == HOME:
            raise UsageError(
                f"{HOME} is in {where}, where it comes too late.", hint="Set it in the environment."
            )
        elif key.startswith(PREFIX):
            raise _unknown(key, where, {*by_variable, *SHORT_NAMES, HOME})
    return given


def _none(name: str, value: object) -> object:
    """`none` and an empty text mean None for a setting that may be None."""
    if not isinstance(value, str) or value.strip().lower() not in ("", "none"):
        return value
    section, field = name.split(".", 1)
    for known, model in _sections():
        if known == section:
            return None if NoneType in get_args(model.model_fields[field].annotation) else value
    return value


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise StoreError(
            f"{path} cannot be read.", hint="It must be a UTF-8 text file you may read."
        ) from None


def _unknown(name: str, where: str, known: set[str]) -> UsageError:
    import difflib

    from catalog.plaintext import one_line

    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]}?" if close else "switchroom config show lists every setting."
    return UsageError(f"There is no setting {one_line(name, 80)} ({where}).", hint=hint)


def _refusal(error: ValidationError, given: Mapping[str, _Given]) -> UsageError:
    """The first thing wrong, with its name, its source and what would fit: never the value itself."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"][:2])
    where = given[name].label if name in given else "the settings"
    reason = first["msg"].removeprefix("Value error, ")
    return UsageError(
        f"The setting {name} ({where}) does not fit: {reason[:1].lower()}{reason[1:]}.",
        hint="switchroom config show lists every setting with its default.",
    )
