"""How a configuration comes in and goes out: one door for the command line and the screen."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import NotFoundError, StoreError, UsageError
from services.transfer_read import Document, open_document, safe, unknown_format
from services.transfer_types import Exported, Format, Found, Imported, ImportProblemError

if TYPE_CHECKING:
    from services.container import Services
    from services.transfer_plan import Prepared

MOST_PROVIDERS = 1000
"""More than anybody has; a file above it is something else."""
_IN_FOLDERS = (
    "provider-instances.json",
    "providers.json",
    "providers.toml",
    "config.toml",
    "switchroom.toml",
)
"""What is looked for in a folder that is given instead of a file, in this order."""


class Transfer:
    """Import and export of the configuration."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def plan(self, path: Path, *, allow_http: bool = False, test: bool = True) -> Prepared:
        """What importing a file (or the folder it lies in) would do, its keys tried (`test`) or not. Nothing is contacted or changed.

        NotFoundError: there is no such file. ImportProblemError: it is no configuration, or nothing of it can be used.
        """
        from services.transfer_plan import prepare

        found = await asyncio.to_thread(read, path)
        if len(found.providers) > MOST_PROVIDERS:
            raise ImportProblemError(
                f"{safe(found.file, 200)} names {len(found.providers):,} providers.",
                hint=f"At most {MOST_PROVIDERS:,} are imported at once.",
            )
        prepared = await prepare(self._services, found, allow_http=allow_http, test=test)
        plan = prepared.plan
        if not plan.steps:
            raise ImportProblemError(
                f"{safe(found.file, 200)} says nothing that can be imported.", hint=_first_problem(prepared)
            )
        return prepared

    async def apply(self, prepared: Prepared, *, test: bool = True, backend: str | None = None) -> Imported:
        """Carry a plan out: all of it or nothing. Keys of the file are tried first; refused ones are not stored.

        `test` False stores them untried. `backend`: where they go (None: the place for new keys).
        """
        from services.transfer_apply import Application

        return await Application(self._services, prepared).run(test=test, backend=backend)

    async def export(self, form: Format = "switchroom") -> Exported:
        """This configuration as text, without a secret."""
        from services.transfer_export import export

        return await export(self._services, form)

    async def write(self, path: Path, form: Format = "switchroom", *, replace: bool = False) -> Exported:
        """The same into a file (0600), whole or not at all; one that is there is replaced only when told to."""
        exported = await self.export(form)
        await asyncio.to_thread(write_file, path, exported.text, replace=replace)
        return exported


def read(path: Path) -> Found:
    """A file in any of the known formats, told from its content; in a folder, the file that is one."""
    path = _located(path)
    if not _is_folder(path):
        return _understood(open_document(path))
    problem: ImportProblemError | None = None
    for name in _IN_FOLDERS:
        if not (path / name).exists():
            continue
        try:
            return _understood(open_document(path / name))
        except ImportProblemError as error:
            problem = problem or error
    if problem is not None:
        raise problem
    raise NotFoundError(
        f"There is no configuration to import in {safe(path, 200)}.",
        hint=f"Looked for {', '.join(_IN_FOLDERS)}.",
    )


def usual_places() -> list[Path]:
    """The configurations of other programs that are on this machine, at the places their programs keep them."""
    home = Path.home()
    named = [Path(value) for variable in ("LACE_DIR",) if (value := os.environ.get(variable))]
    folders = [*named, home / ".lace"]
    files = [folder / "provider-instances.json" for folder in folders]
    files += [home / ".loquilex" / "providers.json", home / ".config" / "fennec" / "config.toml"]
    found: list[Path] = []
    for file in files:
        with contextlib.suppress(OSError):
            if file.is_file() and file not in found:
                found.append(file)
    return found


def write_file(path: Path, text: str, *, replace: bool) -> None:
    """Write the whole file or nothing, for the owner alone. UsageError: it is there and is not to be replaced."""
    path = _located(path)
    temporary: Path | None = None
    try:
        if path.is_dir():
            raise UsageError(f"{safe(path, 200)} is a folder.", hint="Add a file name.")
        if (path.exists() or path.is_symlink()) and not replace:
            raise _there(path)
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{safe(path, 200)} is not a regular file.", hint="Choose another name.")
        path = path.resolve()  # what a link leads to: it stays a link
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode())
            stream.flush()
            os.fsync(descriptor)
        if replace:
            temporary.replace(path)
        else:
            _put_new(temporary, path)
    except FileExistsError:
        raise _there(path) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "that is no file name"
        raise StoreError(
            f"{safe(path, 200)} cannot be written: {reason}.", hint="Choose another place."
        ) from None
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError, ValueError):
                temporary.unlink(missing_ok=True)


def _put_new(temporary: Path, path: Path) -> None:
    """Give the file its name unless one appeared there meanwhile (FileExistsError)."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: a look first is the best there is
        if os.path.lexists(path):
            raise FileExistsError from None
        temporary.replace(path)


def _located(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise UsageError(
            f"There is no home folder for {safe(path, 80)}.", hint="Write the whole path."
        ) from None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name no file can have: opening it says so
        return False


def _there(path: Path) -> UsageError:
    return UsageError(
        f"There is a file {safe(path, 200)} already.", hint="Add --force to replace it.", title="Not written"
    )


def _understood(document: Document) -> Found:
    from dataclasses import replace

    from services.transfer_foreign import is_lace, is_list, is_loquilex, read_lace, read_list, read_loquilex
    from services.transfer_own import is_own, read_own
    from services.transfer_toml import is_toml, read_toml
    from services.transfer_types import Remark

    for fits, reader in (
        (is_own, read_own), (is_lace, read_lace), (is_loquilex, read_loquilex), (is_list, read_list), (is_toml, read_toml)
    ):  # fmt: skip
        if fits(document.data):
            found = reader(document)
            break
    else:
        raise unknown_format(document.file)
    if document.wide and found.format != "lace" and any(_literal(one) for one in found.providers):
        words = f"Others can read this file, and it holds a key: chmod 600 '{document.file}'"
        found = replace(found, remarks=(Remark("warning", safe(words, 300), document.file), *found.remarks))
    return found


def _literal(one: object) -> bool:
    from pydantic import SecretStr

    return isinstance(getattr(one, "key", None), SecretStr)


def _first_problem(prepared: Prepared) -> str | None:
    remarks = prepared.plan.remarks
    return f"{remarks[0].place}: {remarks[0].message}" if remarks else None
