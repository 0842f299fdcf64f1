"""`switchroom config export` and `config import`: the configuration as a file, without a secret."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog.errors import UsageError
from cli.session import Session, changes, reads

if TYPE_CHECKING:
    from services.container import Services
    from services.transfer_types import Exported, Imported, KeyToSet, Plan

FORMS = ("switchroom", "lace", "loquilex")


@click.command("export")
@click.argument("file", metavar="FILE")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default="switchroom",
    help="Ours, or that of another program.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@reads
def export_configuration(session: Session, file: str, form: str, force: bool) -> int:
    """Write the configuration to FILE (- for standard output).

    Providers, models' choices, limits and settings. It never holds a key: only variables by name.
    """

    async def work(services: Services) -> None:
        from cli.output import note

        chosen = next(known for known in ("switchroom", "lace", "loquilex") if known == form)
        if file == "-":
            exported = await services.transfer.export(chosen)
            document = {**_exported(exported), "file": None, "document": exported.text}
            session.emit(document, lambda: exported.text.rstrip("\n"))
        else:
            exported = await services.transfer.write(Path(file), chosen, replace=force)
            count = f"{exported.providers} provider{'' if exported.providers == 1 else 's'}"
            session.emit({**_exported(exported), "file": file}, lambda: f"Wrote {count} to {file}.")
        if not session.json:
            for words in exported.left_out:
                note(f"Not written: {words}.")

    return session.run(work, asks=False)


def _exported(exported: Exported) -> dict[str, object]:
    return {"format": exported.format, "providers": exported.providers, "left_out": list(exported.left_out)}


@click.command("import")
@click.argument("file", metavar="FILE")
@click.option("--no-test", is_flag=True, help="Store the file's keys without trying them first.")
@click.option("--allow-http", is_flag=True, help="Allow plain http to private addresses.")
@changes
def import_configuration(session: Session, file: str, no_test: bool, allow_http: bool) -> int:
    """Take over a configuration from FILE, or from the folder it lies in.

    A Switchroom export, LACE's provider-instances.json with its credentials, LoquiLex's providers.json, a list of
    providers in JSON, or [provider.NAME] tables in TOML: told from the content. What is here is never overwritten by
    another provider of the same name, and a key that is here stays.
    """

    async def work(services: Services) -> None:
        if not file:  # an unset variable of a script: not the folder one happens to stand in
            raise UsageError("The file has no name.", hint="Write FILE, or the folder it lies in.")
        prepared = await services.transfer.plan(Path(file), allow_http=allow_http, test=not no_test)
        plan = prepared.plan
        _refuse_empty(plan)
        if session.dry_run or not plan.changes:
            session.emit(_document(plan, None, session.dry_run), lambda: _planned(plan))
            return
        done = await services.transfer.apply(prepared, test=not no_test)
        session.emit(_document(plan, done, False), lambda: _done(plan, done))

    return session.run(work)


def _refuse_empty(plan: Plan) -> None:
    """Nothing of the file can be used: that is a failure, with its first reason."""
    from services.transfer_types import ImportProblemError

    if plan.steps and all(step.action == "skip" for step in plan.steps):
        first = plan.steps[0]
        place = f"{plan.found.file.name}{f', line {first.line}' if first.line else ''}"
        hint = "Add --allow-http to allow plain http to private addresses." if plan.needs_http else None
        raise ImportProblemError(
            f"Nothing can be imported. {place}: {first.subject}: {first.reason}", hint=hint
        )


def _document(plan: Plan, done: Imported | None, dry_run: bool) -> dict[str, object]:
    keys = plan.keys_to_set if done is None else done.keys_to_set
    document: dict[str, object] = {
        "file": str(plan.found.file),
        "format": plan.found.format,
        "applied": done is not None,
        "changes": plan.changes if done is None else done.done,
        "steps": [
            {
                "kind": step.kind, "subject": step.subject, "action": step.action, "what": step.what,
                "reason": step.reason or None, "line": step.line,
            }
            for step in plan.steps
        ],
        "remarks": [
            {"level": remark.level, "file": str(remark.file), "line": remark.line, "message": remark.message}
            for remark in plan.remarks
        ],
        "keys_to_set": [
            {"provider": key.provider, "what": key.what, "why": key.why, "command": key.command} for key in keys
        ],
    }  # fmt: skip
    return {**document, "dry_run": True} if dry_run else document


def _table(plan: Plan) -> str:
    from cli.output import table

    rows = [
        (step.action, step.kind, step.subject, f"{step.what}: {step.reason}" if step.reason else step.what)
        for step in plan.steps
    ]
    return table(("WHAT", "KIND", "NAME", ""), rows)


def _planned(plan: Plan) -> str:
    end = "Nothing was changed." if plan.changes else "Nothing to change."
    return _paragraphs(_table(plan), _remarks(plan), _http(plan), _keys(plan.keys_to_set), end)


def _done(plan: Plan, done: Imported) -> str:
    from services.transfer_types import FORMATS

    count = f"{done.done} change{'' if done.done == 1 else 's'}"
    return _paragraphs(
        _table(plan),
        _remarks(plan),
        _http(plan),
        f"Imported {FORMATS[plan.found.format]}: {count}.",
        _keys(done.keys_to_set),
        "" if done.done == plan.changes else "To store a key untried, import again with --no-test.",
    )


def _http(plan: Plan) -> str:
    return "Plain http to a private address needs your word: add --allow-http." if plan.needs_http else ""


def _remarks(plan: Plan) -> str:
    from catalog.plaintext import one_line

    return "\n".join(
        one_line(f"{remark.place}: {remark.level}: {remark.message}", 400) for remark in plan.remarks
    )


def _keys(keys: Sequence[KeyToSet]) -> str:
    from cli.output import table

    if not keys:
        return ""
    rows = [(key.provider, key.what, key.why, key.command) for key in keys]
    return "Still to set:\n" + table(("PROVIDER", "WHAT", "WHY", "HOW"), rows)


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
