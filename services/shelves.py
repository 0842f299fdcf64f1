"""What lies on the machines of providers, as it is shown: models with their sizes, and which of them are loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adapters.abilities import InstalledModel, RunningModel


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model on a machine, as it is shown."""

    provider: str
    id: str
    size_bytes: int | None
    """On the disk; None where it is not there, or nobody says."""
    modified_at: int | None
    """UTC ms."""
    fingerprint: str | None
    state: str
    """`ready`, `partial`, `damaged`."""
    details: Mapping[str, str | int]
    loaded: bool | None
    """None: the server could not be asked."""
    running: RunningModel | None = None
    window: int | None = None
    """Tokens that a chat with it may have, as its provider's list says; None where it is not listed."""

    @property
    def ref(self) -> str:
        return f"{self.provider}/{self.id}"


@dataclass(frozen=True, slots=True)
class Shelf:
    """What one provider holds."""

    provider: str
    models: tuple[LocalModel, ...]
    error: SwitchroomError | None = None
    """Why it is not known what is loaded."""

    @property
    def note(self) -> str:
        """What could not be found out, in a sentence."""
        return (
            f"What is loaded could not be found out: {self.error.message}" if self.error is not None else ""
        )

    @property
    def size_bytes(self) -> int:
        """Of all models whose size is known."""
        return size_of(self.models)


def size_of(models: Iterable[LocalModel]) -> int:
    """What they take of disks; a model with two names lies there once."""
    weights = {(one.provider, one.fingerprint or one.id): one.size_bytes or 0 for one in models}
    return sum(weights.values())


def shelf_of(
    slug: str,
    installed: list[InstalledModel],
    running: list[RunningModel] | SwitchroomError,
    windows: Mapping[str, int | None],
) -> Shelf:
    """What was found out of one provider, put together; `windows`: model → tokens that a chat with it may have."""
    error = running if isinstance(running, SwitchroomError) else None
    loaded = {} if isinstance(running, SwitchroomError) else {one.id: one for one in running}
    models = [
        LocalModel(
            slug, one.id, one.size_bytes, one.modified_at, one.fingerprint, one.state, one.details,
            None if error is not None else one.id in loaded, loaded.pop(one.id, None), windows.get(one.id),
        )
        for one in installed
    ]  # fmt: skip
    models += [
        LocalModel(slug, one.id, None, None, None, "ready", one.details, True, one) for one in loaded.values()
    ]
    return Shelf(slug, tuple(models), error)
