"""`switchroom providers`: connect, change and test providers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from cli.lazy import Nouns
from cli.provider_options import GivenOptions, make_draft, provider_options
from cli.session import Session, changes, reads

if TYPE_CHECKING:
    from adapters.base import Validation
    from services.container import Services
    from services.registry import ProviderView


@click.group(
    cls=Nouns,
    later={
        "discover": "cli.commands.providers_discover:discover",
        "login": "cli.commands.providers_login:login",
        "account": "cli.commands.providers_account:account",
    },
)
def command() -> None:
    """Connect, change and test providers."""


@command.command("list")
@reads
def list_providers(session: Session) -> int:
    """All providers with their state, key and models."""

    async def work(services: Services) -> None:
        from cli import documents

        views = await services.registry.list()
        session.emit({"providers": [documents.provider(view) for view in views]}, lambda: _table(views))

    return session.run(work, asks=False)


def _table(views: Sequence[ProviderView]) -> str:
    from cli.output import table

    if not views:
        return "No providers yet. Connect one: switchroom providers add --help"
    rows = [
        (
            view.row.slug,
            view.state_word,
            view.row.catalog_id or view.row.dialect,
            view.key_label,
            f"{view.models_enabled}/{view.models_total}",
            view.row.endpoint,
        )
        for view in views
    ]
    return table(("PROVIDER", "STATE", "TYPE", "KEY", "MODELS", "URL"), rows, right=("MODELS",))


@command.command("show")
@click.argument("slug")
@reads
def show_provider(session: Session, slug: str) -> int:
    """One provider with all its options."""

    async def work(services: Services) -> None:
        from cli import documents

        view = await services.registry.get(slug)
        document = documents.provider_detail(view)
        session.emit(document, lambda: _detail(view, document))

    return session.run(work, asks=False)


def _detail(view: ProviderView, document: dict[str, object]) -> str:
    from cli.output import pairs

    shown = {**document, "state": view.state_word, "key": view.key_label}
    shown["models"] = f"{view.models_enabled} of {view.models_total} enabled"
    shown["last_sync"] = "never" if view.last_sync is None else view.last_sync.state
    return pairs([(name, _words(value)) for name, value in shown.items() if value not in (None, {}, [])])


def _words(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{name}={inner}" for name, inner in value.items())
        case list():
            return ", ".join(str(inner) for inner in value)
        case _:
            return str(value)


def _next(services: Services, view: ProviderView) -> str:
    """What to do with a new provider; for one that is only kept for later, why."""
    from services.marketplace import not_yet

    why = not_yet(services.catalog.spec(view.row.catalog_id or ""))
    return f"It is kept for later: {why}." if why else f"Next: switchroom sync {view.row.slug}"


@command.command("add")
@click.argument("slug", required=False)
@provider_options
@changes
def add_provider(session: Session, slug: str | None, **options: Any) -> int:
    """Connect a provider.

    It is tested first and saved when the test passes.
    """
    from cli.secret_input import key_source

    given = GivenOptions(**options)
    if slug is None and given.url is None and given.kind is None:
        raise click.UsageError("Say what to connect: a SLUG, --type or --url.")
    key, secrets = key_source(given.key_stdin, given.key_env, given.secret_header)
    draft = make_draft(slug, given, secrets)

    async def work(services: Services) -> None:
        from cli import documents
        from services.entra import wants_sign_in

        sign_in, test = None, not given.no_test
        if key is None and test and wants_sign_in(row := await services.registry.resolve_draft(draft)):
            if session.dry_run:
                test = False  # nobody is asked to sign in for nothing
            else:
                from cli.commands.providers_login import by_code

                sign_in = await by_code(services, row)
        view = await services.registry.add(draft, key, test=test, sign_in=sign_in)
        session.changed(
            documents.provider_detail(view),
            did=f"Added {view.row.slug} ({view.state_word}, key: {view.key_label}). {_next(services, view)}",
            would=f"add {view.row.slug} at {view.row.endpoint} (key: {view.key_label})",
        )

    return session.run(work)


@command.command("edit")
@click.argument("slug")
@provider_options
@changes
def edit_provider(session: Session, slug: str, **options: Any) -> int:
    """Change a provider; what is not given stays as it is."""
    from cli.secret_input import key_source

    given = GivenOptions(**options)
    key, secrets = key_source(given.key_stdin, given.key_env, given.secret_header)
    draft = make_draft(slug, given, secrets)
    if key is None and not any(value not in (None, False, ()) for value in options.values()):
        raise click.UsageError("Say what to change; see 'switchroom providers edit --help'.")

    async def work(services: Services) -> None:
        from cli import documents
        from services.admin_keys import dropped

        before = await services.registry.row(slug)
        view = await services.registry.edit(slug, draft)
        lost = dropped(before, view.row)
        if key is not None:
            view = await services.registry.set_key(slug, key, test=not given.no_test)
        session.changed(
            documents.provider_detail(view),
            did=f"Changed {slug}. {lost}" if lost else f"Changed {slug}.",
            would=f"change {slug}"
            + (" and delete its admin key, which was for the old address" if lost else ""),
        )

    return session.run(work)


@command.command("remove")
@click.argument("slug")
@changes
def remove_provider(session: Session, slug: str) -> int:
    """Remove a provider and its stored key.

    What it used stays in the ledger.
    """

    async def work(services: Services) -> None:
        await services.registry.get(slug)
        removed = await services.registry.remove(slug)
        used = f" (used by {', '.join(removed.dependents)})" if removed.dependents else ""
        note = f" {removed.note}" if removed.note else ""
        session.changed(
            {"removed": slug, "dependents": list(removed.dependents), "keys_left": list(removed.keys_left)},
            did=f"Removed {slug}{used}.{note}",
            would=f"remove {slug}{used}",
        )

    return session.run(work)


def _switch(session: Session, slug: str, on: bool) -> int:
    async def work(services: Services) -> None:
        from cli import documents

        await services.registry.set_enabled(slug, on)
        view = await services.registry.get(slug)
        verb = "enable" if on else "disable"
        session.changed(
            {**documents.provider_detail(view), "enabled": on},
            did=f"{verb.capitalize()}d {slug}.",
            would=f"{verb} {slug}",
        )

    return session.run(work)


@command.command("enable")
@click.argument("slug")
@changes
def enable_provider(session: Session, slug: str) -> int:
    """Use a provider again."""
    return _switch(session, slug, on=True)


@command.command("disable")
@click.argument("slug")
@changes
def disable_provider(session: Session, slug: str) -> int:
    """Stop using a provider, keeping everything about it."""
    return _switch(session, slug, on=False)


@command.command("test")
@click.argument("slug", required=False)
@click.option("--url", metavar="URL", help="Test this address without saving anything.")
@click.option(
    "--type", "kind", metavar="T", help="A known vendor or a dialect; without it, told from the URL."
)
@click.option("--key-stdin", is_flag=True, help="Read the key from standard input.")
@click.option("--key-env", metavar="NAME", help="Use the key in this environment variable.")
@click.option("--allow-http", is_flag=True, help="Allow plain http to a private address.")
@reads
def test_provider(
    session: Session,
    slug: str | None,
    url: str | None,
    kind: str | None,
    key_stdin: bool,
    key_env: str | None,
    allow_http: bool,
) -> int:
    """Prove that a provider answers and takes its key.

    With --url, before anything is saved.
    """
    if (slug is None) == (url is None and kind is None):
        raise click.UsageError("Give either the SLUG of a provider or --url (with --type where needed).")
    if slug is not None:
        if key_stdin or key_env is not None:
            raise click.UsageError("A saved provider is tested with its own key; see 'switchroom keys set'.")
        return session.run(lambda services: _test_saved(session, services, slug))
    from cli.secret_input import key_source
    from services.drafts import ProviderDraft

    key, _ = key_source(key_stdin, key_env)
    draft = ProviderDraft(type=kind, url=url, allow_http=allow_http or None)

    async def work(services: Services) -> int:
        return _tell(session, url or str(kind), await services.registry.test_draft(draft, key), {})

    return session.run(work)


async def _test_saved(session: Session, services: Services, slug: str) -> int:
    return _tell(session, slug, await services.registry.test(slug), {"slug": slug})


def _tell(session: Session, subject: str, result: Validation, head: dict[str, object]) -> int:
    """Print the outcome of a test; its exit status."""
    from cli import documents
    from cli.failures import say, status_of

    session.emit(
        {**head, **documents.validation(result)},
        lambda: f"{subject}: {result.state.replace('_', ' ')}, {result.latency_ms} ms. {result.message}",
    )
    if result.error is None:
        return 0
    say(result.error)
    return status_of(result.error)
