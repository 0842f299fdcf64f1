"""What is asked of the audit log in the words of the filter line, and how it is answered page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from services.clock import parse_when
from store.audit_search import COLUMNS, STRETCH, AuditSearch, Term, Wanted

if TYPE_CHECKING:
    from services.container import Services
    from store.audit import AuditRow

__all__ = ["AuditPage", "AuditPages", "Wanted", "wanted"]


_WORDS = 50
"""More words than this are not looked for: a text that was pasted by mistake."""
_LETTERS = 2_000
"""The same of a word's letters."""


def wanted(text: str, now: int) -> Wanted:
    """`action:budget actor:anna -subject:openai since:7d words` as a question; `-` leaves out what has it.

    A name without a value, and a time that is not finished yet, ask nothing.
    """
    terms: list[Term] = []
    since: int | None = None
    for word in (word[:_LETTERS] for word in dict.fromkeys(text.split())):
        without = word[0] in "-!"
        name, colon, value = word.removeprefix(word[0] if without else "").partition(":")
        name = name.lower()
        if colon and name == "since":
            since = _moment(value, now) or since
        elif colon and name in COLUMNS:
            terms += [Term(name, value, without)] if value else []
        elif without:
            terms += [Term("", word[1:], True)] if word[1:] else []
        else:
            terms.append(Term("", word))
    return Wanted(tuple(terms[:_WORDS]), since)


def _moment(text: str, now: int) -> int | None:
    try:
        return parse_when(text, now)
    except UsageError:
        return None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some entries, newest first, and how far the search for them went."""

    rows: list[AuditRow]
    reached: int
    """The highest id not looked at yet; 0: the log is searched to its beginning."""
    newest: int
    """The highest id that was looked at, or could have been."""


class AuditPages:
    """Reads the log from its end, a page at a time."""

    def __init__(self, services: Services) -> None:
        self._search = AuditSearch(services.db)

    async def newest_id(self) -> int:
        """The id of the newest entry; 0: there is none."""
        return await self._search.newest_id()

    async def newer(self, asked: Wanted, than: int, limit: int = 500) -> AuditPage:
        """What came after an id: of very much the older part first, so ask again from `newest` until nothing comes."""
        newest = min(await self._search.newest_id(), than + limit)
        rows = await self._search.between(asked, than, newest, limit) if newest > than else []
        return AuditPage(rows, than, max(newest, than))

    async def back(
        self, asked: Wanted, *, before: int | None = None, limit: int = 200
    ) -> AsyncIterator[AuditPage]:
        """The next entries below an id (None: from the newest), `limit` at most, in as many pages as steps are needed.

        A page may be empty: then so much was searched for nothing. Leave off at any moment.
        """
        newest = await self._search.newest_id()
        reached = newest if before is None else before - 1
        left = limit
        while reached > 0 and left > 0:
            floor = 0 if asked.everything else max(0, reached - STRETCH)
            rows = await self._search.between(asked, floor, reached, left)
            reached = rows[-1].id - 1 if len(rows) == left else floor
            left -= len(rows)
            yield AuditPage(rows, reached, newest)

    async def get(self, row_id: int) -> AuditRow | None:
        """One entry; None: there is none of this number."""
        return await self._search.get(row_id)
