"""How what is shown leaves the program: as CSV, JSON or JSON lines, in a file of the user's choice."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Generic, TypeVar, overload

from catalog.plaintext import harmless
from catalog.redact import redact
from tui.formatting import clock, count

if TYPE_CHECKING:
    from tui.app import SwitchroomApp

T = TypeVar("T")

ENDINGS = (".csv", ".json", ".jsonl")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What `X` writes."""

    name: str
    """The file's name without its ending: `models`, `usage-by-provider`."""
    fields: tuple[str, ...]
    rows: Sequence[Mapping[str, object]]
    """Plain values: str, int, float, Decimal, bool, None. Many rows are `Told`, so that they are made while written."""
    page: tuple[str, Callable[[IO[str]], None]] | None = None
    """A further ending, proposed first, and what writes that kind of file: `.md` for a conversation."""
    unit: str = "row"

    @property
    def endings(self) -> tuple[str, ...]:
        """What the file may end in."""
        return ENDINGS if self.page is None else (self.page[0], *ENDINGS)


class Told(Sequence[Mapping[str, object]], Generic[T]):
    """Rows that become fields one by one, in the thread that writes them."""

    def __init__(self, rows: Sequence[T], tell: Callable[[T], Mapping[str, object]]) -> None:
        self._rows, self._tell = rows, tell

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Mapping[str, object]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Mapping[str, object]]: ...
    def __getitem__(self, index: int | slice) -> Mapping[str, object] | Sequence[Mapping[str, object]]:
        if isinstance(index, slice):
            return Told(self._rows[index], self._tell)
        return self._tell(self._rows[index])


async def export(app: SwitchroomApp, what: Exported) -> None:
    """Ask for the file (its ending chooses the format) and write it; an existing file is only replaced when told to."""
    from tui.modals.ask import Ask
    from tui.modals.confirm import Confirm

    typed: str | None = proposed(what.name, what.endings[0])
    size = count(len(what.rows), what.unit)
    forms = "The ending chooses the form: .csv for spreadsheets, .json, or .jsonl (one line a row)."
    if what.page is not None:
        forms = f"The ending chooses the form: {what.page[0]} to read, .json, .jsonl or .csv for programs."
    problem = ""
    while True:
        window = Ask(
            f"Export {size} to which file?",
            forms,
            value=typed or "",
            check=lambda text: wrong_with(text, what.endings),
            problem=problem,
        )
        typed = await app.push_screen_wait(window)
        if typed is None:
            return
        path = _path(typed)
        changed = _written(path)
        there = changed is not None
        if there:
            question = Confirm(
                f"Replace {path.name}?", f"{path}\nwas last written {changed}.", yes="replace it", no="another name"
            )  # fmt: skip
            if not await app.push_screen_wait(question):
                continue
        try:
            await asyncio.to_thread(write, path, what, replace=there)
        except OSError as error:
            problem = f"Not written: {error.strerror or error}. Choose another place."
            continue
        app.tell(f"{size} written to {path}.", tone="ok")
        return


def proposed(name: str, ending: str) -> str:
    """A name in the working directory, or at home where that cannot be written."""
    here = Path.cwd()
    folder = here if os.access(here, os.W_OK) and here != Path("/") else Path.home()
    return str(folder / f"{name}-{dt.datetime.now().astimezone():%Y-%m-%d}{ending}")


def _written(path: Path) -> str | None:
    """When the file was last written, in words; None: there is none."""
    try:
        return clock(int(path.stat().st_mtime * 1000))
    except OSError:
        return None


def _path(typed: str) -> Path:
    return Path(typed.strip()).expanduser().resolve()


def wrong_with(typed: str, endings: Sequence[str] = ENDINGS) -> str | None:
    """Why nothing can be written there, and what to do; None when it can."""
    if not typed.strip():
        return "Write a file name, such as models.csv."
    try:
        path = _path(typed)
        if path.is_dir():
            return f"{path} is a folder: add a file name, such as models.csv."
        if path.suffix.lower() not in endings:
            return f"The name must end in {', '.join(endings[:-1])} or {endings[-1]}."
        if not path.parent.is_dir():
            return f"There is no folder {path.parent}: choose another, or make it first."
        if not os.access(path.parent, os.W_OK):
            return f"Nothing may be written into {path.parent}: choose another folder, such as ~."
    except (OSError, RuntimeError, ValueError) as error:
        return f"That is no file name: {error}."
    return None


def write(path: Path, what: Exported, *, replace: bool) -> None:
    """Write the whole file or nothing. FileExistsError: it appeared meanwhile, and `replace` is False."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            ending = path.suffix.lower()
            if what.page is not None and ending == what.page[0]:
                what.page[1](file)
            else:
                _WRITERS[ending](file, what)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            if not replace:
                raise FileExistsError(17, "that file exists by now", str(path))
            part.chmod(path.stat().st_mode & 0o777)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _csv(file: IO[str], what: Exported) -> None:
    table = csv.writer(file)
    table.writerow(what.fields)
    table.writerows([_cell(row.get(field)) for field in what.fields] for row in what.rows)


def _cell(value: object) -> str | float:
    """A value for a spreadsheet. Text that it would take for a formula gets a `'` in front; unknown is empty."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return value
        case Decimal():
            return f"{value:f}"
    text = harmless(redact(str(value)))
    return f"'{text}" if text.startswith(_FORMULA) else text


def _json(file: IO[str], what: Exported) -> None:
    file.write("[")
    for number, line in enumerate(_lines(what)):
        file.write(",\n " if number else "\n ")
        file.write(line)
    file.write("\n]\n")


def _jsonl(file: IO[str], what: Exported) -> None:
    file.writelines(line + "\n" for line in _lines(what))


def _lines(what: Exported) -> Iterator[str]:
    for row in what.rows:
        yield json.dumps({field: _plain(row.get(field)) for field in what.fields}, ensure_ascii=False)


def _plain(value: object) -> object:
    """A value for JSON. Money is a text, as from the command line: no digit of it is lost."""
    match value:
        case None | bool() | int() | float():
            return value
        case Decimal():
            return f"{value:f}"
        case str():
            return redact(value)
        case Iterable():
            return [_plain(item) for item in value]
    return redact(str(value))


_WRITERS: dict[str, Callable[[IO[str], Exported], None]] = {".csv": _csv, ".json": _json, ".jsonl": _jsonl}
