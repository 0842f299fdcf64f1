"""`switchroom providers discover`: what the environment, its files and this machine offer, why, and how to settle the rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.session import Session, may_change

if TYPE_CHECKING:
    from catalog.errors import SwitchroomError
    from services.container import Services
    from services.discovery_views import Finding, Report

    Refused = tuple[Finding, SwitchroomError]

_SECTIONS = (
    ("adds", "Clear: added with --apply, by reference"),
    ("offered", "Offered"),
    ("ambiguous", "Ambiguous: never guessed"),
    ("incomplete", "Incomplete"),
    ("not yet", "Not usable yet"),
    ("configured", "There already"),
)


@click.command("discover")
@click.option(
    "--apply", "apply", is_flag=True, help="Add what is clear, and the servers found on this machine."
)
@click.option(
    "--env-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Look into this file too; with --apply its keys are tested and then kept like typed ones.",
)
@may_change
def discover(session: Session, apply: bool, env_file: Path | None) -> int:
    """What the environment, .env files and loopback ports offer.

    Nothing is added without --apply. Keys stay where they are: only the names of their variables are stored.
    """
    if apply:
        session.require_writable()
    file = env_file.absolute() if env_file else None

    async def work(services: Services) -> int:
        report = await services.discovery.look(env_file=file)
        if not apply:
            session.emit(_document(report), lambda: _text(report))
            return 0
        added, refused = await _apply(services, report, file is not None)
        again = await services.discovery.look(env_file=file)
        document = {**_document(report if session.dry_run else again), "added": list(added)}
        document["failed"] = [_refusal(one, error) for one, error in refused]
        session.changed(document, did=_did(added, again), would=_would(added))
        return _verdict(refused)

    return session.run(work)


async def _apply(
    services: Services, report: Report, with_file: bool
) -> tuple[tuple[str, ...], tuple[Refused, ...]]:
    """Everything that needs no question: the file's keys one by one, as each is tested and stored.

    A key that its server refuses keeps nothing else out; where no key can be kept at all, nothing is added.
    """
    from catalog.errors import SwitchroomError

    kept: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()
    for one in report.findings if with_file else ():
        if one.source == "folder" and one.kind == "offered" and one.open and not one.options[0].allow_http:
            try:
                view = await services.discovery.add(one, one.options[0])
                kept = (*kept, view.row.slug)
            except SwitchroomError as error:
                if error.code in ("vault_locked", "store"):
                    raise
                refused = (*refused, (one, error))
    here = [one for one in report.findings if one.source == "loopback" and one.open and not one.wants_key]
    added = await services.discovery.apply([*report.adds, *here], first=report.first, again=True)
    return (*added, *kept), refused


def _refusal(one: Finding, error: SwitchroomError) -> dict[str, object]:
    from cli.failures import document

    return {"name": one.name, "slug": one.slug or None, "error": document(error)}


def _verdict(refused: Sequence[Refused]) -> int:
    """The status of the first that was refused; one line names them all."""
    from cli.failures import complain, say, status_of

    if not refused:
        return 0
    _, error = refused[0]
    if len(refused) == 1:
        say(error)
    else:
        complain(f"{len(refused)} keys of the file were not taken: {', '.join(one.slug or one.name for one, _ in refused)}. {error.message}")  # fmt: skip
    return status_of(error)


def _did(added: Sequence[str], report: Report) -> str:
    left = [one for one in report.offers if one.kind in ("offered", "ambiguous")]
    more = f" {len(left)} more {'is' if len(left) == 1 else 'are'} left to you: switchroom providers discover" if left else ""  # fmt: skip
    if not added:
        return f"Nothing new to add.{more}"
    return f"Added {', '.join(added)}. Next: switchroom sync {' '.join(added)}{more and '.'}{more}"


def _would(added: Sequence[str]) -> str:
    return f"add {', '.join(added)}" if added else "add nothing"


def _document(report: Report) -> dict[str, object]:
    return {
        "findings": [_finding(one) for one in report.findings],
        "notes": list(report.notes),
        "added": [],
        "failed": [],
    }


def _finding(one: Finding) -> dict[str, object]:
    return {
        "state": one.state.replace(" ", "_"),
        "name": one.name,
        "slug": one.configured or one.slug or None,
        "type": one.catalog_id,
        "dialect": one.dialect,
        "url": one.endpoint or None,
        "key": one.key_ref,
        "variable": one.key_name or None,
        "source": one.source,
        "path": one.path or None,
        "why": one.why,
        "supported": one.supported,
        "unsupported": one.unsupported or None,
        "missing": one.missing or None,
        "configured": one.configured or None,
        "declined": one.declined,
        "may_be": [option.label for option in one.options] if one.kind == "ambiguous" else [],
        "commands": list(one.commands),
    }


def _text(report: Report) -> str:
    lines: list[str] = []
    for state, title in _SECTIONS:
        found = [one for one in report.findings if one.state == state]
        if found:
            lines += [f"{title}:", *(line for one in found for line in _lines(one)), ""]
    if not report.findings:
        lines = ["Nothing was found: no known variable is set, and no model server answers on this machine.",
                 "Connect a provider: switchroom providers add --help", ""]  # fmt: skip
    lines += [f"Note: {note}" for note in report.notes]
    if report.adds:
        lines.append("Add the clear ones: switchroom providers discover --apply")
    return "\n".join(lines).rstrip()


def _lines(one: Finding) -> list[str]:
    if one.configured:
        return [f"  {one.configured}: {one.why}."]
    head = f"  {one.name if one.kind == 'ambiguous' else one.slug or one.name}: {one.why}"
    if one.unsupported:
        head += f"; {one.unsupported}"
    if one.declined:
        head += "; it was added once and taken away"
    lines = [f"{head}."]
    if one.missing and one.kind == "incomplete":
        lines.append(f"      set {one.missing}" if not one.commands else f"      set {one.missing}, or:")
    if one.state == "adds":
        return [f"{head}. → {one.endpoint}"]
    if one.source == "folder" and one.key_name:
        return [*lines, f"      switchroom providers discover --apply --env-file {one.path}"]
    return [*lines, *(f"      {command}" for command in one.commands)]
