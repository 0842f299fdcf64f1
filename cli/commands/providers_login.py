"""`switchroom providers login`: a person signs in with a code, an application shows that its secret works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.session import Session, changes

if TYPE_CHECKING:
    from pydantic import SecretStr

    from services.container import Services
    from store.providers import ProviderRow


@click.command("login")
@click.argument("slug")
@changes
def login(session: Session, slug: str) -> int:
    """Sign in to a provider with Microsoft Entra ID.

    Shows an address and a code to type there, on standard error, and waits; Ctrl-C gives up. With a client secret as
    its key, nobody is asked.
    """

    async def work(services: Services) -> None:
        from catalog.errors import UsageError
        from services.entra import wants_sign_in

        row = await services.registry.row(slug)
        who = wants_sign_in(row)
        if who is None:
            raise UsageError(
                f"{slug} is not used with a sign-in.",
                hint=f"switchroom providers edit {slug} --option auth=entra makes it so."
                if row.dialect == "azure"
                else "Only providers of the type azure are.",
            )
        document: dict[str, object] = {"slug": slug, "signed_in": not session.dry_run, "as": who}
        if not session.dry_run:
            if who == "person":
                await services.sign_ins.keep(slug, await by_code(services, row))
            validation = await services.registry.test(slug)
            document |= {"state": validation.state, "message": validation.message}
            if validation.error is not None and validation.error.code == "invalid_credentials":
                raise validation.error
        session.changed(
            document,
            did=f"{slug} is signed in. {document.get('message', '')}",
            would=f"sign in to {slug} as {'a person' if who == 'person' else 'an application'}",
        )

    return session.run(work)


async def by_code(services: Services, row: ProviderRow) -> SecretStr:
    """Show a person where to type which code, and wait until they have."""
    await services.sign_ins.make_room()
    started = await services.sign_ins.begin(row)
    try:
        minutes = max(round(started.minutes), 1)
        click.echo(f"Open     {started.code.url}", err=True)
        click.echo(f"and type {started.code.user_code}", err=True)
        click.echo(f"It is good for {minutes} minutes; Ctrl-C gives up. Waiting …", err=True)
        return await services.sign_ins.wait(started)
    finally:
        await started.aclose()
