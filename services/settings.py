"""How settings are read: defaults < config.toml < config/.env < environment, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from catalog.errors import StoreError, UsageError
from services.paths import Paths
from services.settings_model import KEYS, SECTIONS, Settings

PREFIX = "SWITCHROOM_"

SHORT_NAMES = {
    "SWITCHROOM_OFFLINE": "network.offline",
    "LX_OFFLINE": "network.offline",
    "SWITCHROOM_READ_ONLY": "security.read_only",
    "SWITCHROOM_VAULT_KEY_FILE": "security.vault_key_file",
    "SWITCHROOM_LOG_LEVEL": "log.level",
}
"""Variables with a name of their own → the setting they are. The full name wins over them."""

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


def load(paths: Paths, environ: Mapping[str, str] | None = None, *, toml: str | None = None) -> Settings:
    """Read all sources. A name nobody knows, or a value that does not fit, is a UsageError that prints no value.

    `toml` is read instead of the configuration file: what it is about to become.
    """
    environ = os.environ if environ is None else environ
    given: dict[str, _Given] = {}
    given.update(_from_toml(paths.config_file, toml))
    given.update(_from_variables(_dotenv(paths.env_file), ".env", paths.env_file.name))
    given.update(_from_variables(environ, None, "the environment"))
    if not given:
        return Settings()
    sections = {
        section: model(**{name.partition(".")[2]: value for name, value in values.items()})
        for section, model in SECTIONS.items()
        if (values := {n: _fitted(n, g) for n, g in given.items() if n.startswith(f"{section}.")})
    }
    keys = {
        name.partition(".")[2]: str(_fitted(name, g))
        for name, g in given.items()
        if name.startswith(f"{KEYS}.")
    }
    return Settings(**sections, keys=keys, sources={name: entry.source for name, entry in given.items()})


def describe(settings: Settings) -> list[SettingView]:
    """Every setting with its sentence, default, value and source."""
    from catalog.redact import redact

    views = []
    for section, model in SECTIONS.items():
        for field in fields(model):
            name = f"{section}.{field.name}"
            value = getattr(getattr(settings, section), field.name)
            shown = redact(value) if isinstance(value, str) else value
            views.append(
                SettingView(name, field.metadata["sentence"], field.default, shown, source(settings, name))
            )
    for action, keys in sorted(settings.keys.items()):
        name = f"{KEYS}.{action}"
        views.append(SettingView(name, f"Keys of the action {action}.", None, keys, source(settings, name)))
    return views


def value_of(settings: Settings, name: str) -> object:
    """The value of a setting by its full name (`retry.attempts`, `keys.providers.add`)."""
    section, _, field = name.partition(".")
    return settings.keys.get(field) if section == KEYS else getattr(getattr(settings, section), field)


def source(settings: Settings, name: str) -> str:
    """Where a setting's value came from."""
    return settings.sources.get(name, "default")


def fixed_by(paths: Paths, settings: Settings, name: str) -> str | None:
    """The variable that fixes a setting, with its file where it stands in one; None: the file decides."""
    found = source(settings, name)
    if found in ("default", "config.toml"):
        return None
    if found != ".env":
        return found
    for key in _dotenv(paths.env_file):
        if (SHORT_NAMES.get(key) or key) in (name, variable(name)):
            return f"{key} in {paths.env_file.name}"
    return paths.env_file.name


def names() -> list[str]:
    """Every setting's name, as `section.field`."""
    return [f"{section}.{field.name}" for section, model in SECTIONS.items() for field in fields(model)]


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.replace(".", "__").upper()


def kind_of(name: str) -> tuple[Any, Mapping[str, Any]]:
    """The type of a setting and its limits, as `services.settings_values.fitted` takes them."""
    from typing import get_type_hints

    section, _, field_name = name.partition(".")
    model = SECTIONS[section]
    field = next(field for field in fields(model) if field.name == field_name)
    return get_type_hints(model)[field_name], field.metadata


def _fitted(name: str, given: _Given) -> object:
    """The value as the setting's type, or a refusal with its name and source."""
    from services.settings_values import UnfitError, fitted, fitted_keys

    try:
        return (
            fitted_keys(given.value) if name.startswith(f"{KEYS}.") else fitted(*kind_of(name), given.value)
        )
    except UnfitError as reason:
        raise UsageError(
            f"The setting {name} ({given.label}) does not fit: {reason}.",
            hint="switchroom config show lists every setting with its default.",
        ) from None


def _from_toml(path: Path, text: str | None = None) -> dict[str, _Given]:
    if text is None and not path.exists():
        return {}
    import re
    import tomllib

    try:
        document = tomllib.loads(read_text(path) if text is None else text)
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
            raise unknown(section, path.name, {*SECTIONS, KEYS})
        if section == KEYS:
            given |= {f"{KEYS}.{name}": _Given(keys, "config.toml", path.name) for name, keys in _flat(table)}
            continue
        for field, value in table.items():
            name = f"{section}.{field}"
            if name not in known:
                raise unknown(name, path.name, known)
            given[name] = _Given(value, "config.toml", path.name)
    return given


def _flat(table: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Names with dots, whether they were written in quotation marks or not."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def _dotenv(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    from io import StringIO

    from dotenv import dotenv_values

    values = dotenv_values(stream=StringIO(read_text(path)), interpolate=False)
    return {name: value for name, value in values.items() if value is not None}


def _from_variables(variables: Mapping[str, str], file: str | None, where: str) -> dict[str, _Given]:
    """The settings among these variables (of a file, or of the environment); foreign ones are not our business."""
    ours = {
        key: value
        for key, value in variables.items()
        if key.startswith(PREFIX) or (file is None and key in SHORT_NAMES)
    }
    if not ours:
        return {}
    by_variable = {variable(name): name for name in names()}
    given: dict[str, _Given] = {}
    for key, value in sorted(ours.items(), key=lambda item: (item[0] not in SHORT_NAMES, item[0])):
        if key == HOME:
            if file is not None:
                raise UsageError(
                    f"{HOME} is in {where}, where it comes too late.", hint="Set it in the environment."
                )
            continue
        name = SHORT_NAMES.get(key) or by_variable.get(key)
        if name is None:
            raise unknown(key, where, {*by_variable, *SHORT_NAMES, HOME})
        if value != "" or key not in SHORT_NAMES:
            given[name] = _Given(value, file or key, f"{key} in {where}")
    return given


def read_text(path: Path) -> str:
    """A settings file as text, with the line ends it has."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise StoreError(
            f"{path} cannot be read.", hint="It must be a UTF-8 text file you may read."
        ) from None


def unknown(name: str, where: str, known: set[str]) -> UsageError:
    """The refusal of a name nobody knows, with the nearest one."""
    import difflib

    from catalog.plaintext import one_line

    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]}?" if close else "switchroom config show lists every setting."
    return UsageError(f"There is no setting {one_line(name, 80)} ({where}).", hint=hint)
