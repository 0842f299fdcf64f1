"""`switchroom config`: where things are kept, every setting with its source, export and import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from catalog.redact import redact
from cli.commands.config_transfer import export_configuration, import_configuration
from cli.lazy import Nouns
from cli.session import Session, reads

if TYPE_CHECKING:
    from services.settings import SettingView


@click.group(cls=Nouns)
def command() -> None:
    """Where things are kept; the settings and their sources; export and import."""


command.add_command(export_configuration)
command.add_command(import_configuration)


@command.command("path")
@reads
def show_paths(session: Session) -> None:
    """The folders and files that Switchroom uses."""
    from cli.output import pairs
    from services.paths import resolve

    paths = resolve()
    places = {
        "home": paths.home,
        "config": paths.config,
        "data": paths.data,
        "cache": paths.cache,
        "logs": paths.logs,
        "config_file": paths.config_file,
        "env_file": paths.env_file,
        "user_catalog": paths.user_catalog,
        "credentials": paths.credentials,
        "vault_file": paths.vault_file,
        "database": paths.database,
        "audit_key": paths.audit_key,
        "log_file": paths.log_file,
    }
    document = {name: None if path is None else str(path) for name, path in places.items()}
    session.emit(document, lambda: pairs([(name, path or "–") for name, path in document.items()]))


@command.command("show")
@reads
def show_settings(session: Session) -> None:
    """Every setting, its value and where that comes from. Never fails: a setting that is refused is named."""
    from catalog.errors import SwitchroomError
    from cli.failures import document as error_document
    from cli.failures import say
    from services.paths import resolve
    from services.settings import describe, load

    try:
        views, refused = describe(load(resolve())), None
    except SwitchroomError as problem:
        views, refused = [], problem
    document: dict[str, object] = {"settings": [_document(view) for view in views]}
    if refused is not None:
        document["error"] = error_document(refused)
        say(refused)
    session.emit(document, lambda: _text(views))


def _document(view: SettingView) -> dict[str, object]:
    return {
        "name": view.name,
        "value": redact(view.value) if isinstance(view.value, str) else view.value,
        "default": view.default,
        "source": view.source,
        "sentence": view.sentence,
    }


def _text(views: list[SettingView]) -> str:
    from cli.output import table

    return table(
        ("SETTING", "VALUE", "FROM", "MEANING"),
        [(view.name, _words(view.value), view.source, view.sentence) for view in views],
    )


def _words(value: object) -> str:
    if value is None:
        return "–"
    return str(value).lower() if isinstance(value, bool) else redact(str(value))
