"""`switchroom vault`: the encrypted vault, and moving keys between the places that can hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.lazy import Nouns

if TYPE_CHECKING:
    from services.credentials import BackendChoice


@click.group(cls=Nouns)
def command() -> None:
    """The encrypted vault and the other places for keys.

    Its passphrase is asked on the terminal, or read from the file that SWITCHROOM_VAULT_KEY_FILE names.
    """


def _document(choice: BackendChoice) -> dict[str, object]:
    return {"backend": choice.backend, "state": choice.state, "message": choice.message}
