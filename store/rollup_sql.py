"""The usage queries as SQL: which series answer a question, and the difference of their running totals."""

# ruff: noqa: S608 - every name put into these texts is one of ours
from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Group = Literal["provider", "model", "grade", "outcome", "outcome/grade", "caller", "label"]

SLOT_MS = 15 * 60_000
KEYS = {
    None: "''",
    "provider": "s.provider",
    "model": "s.provider || '/' || s.model",
    "outcome": "s.outcome",
    "grade": "s.grade",
    "outcome/grade": "s.outcome || '/' || s.grade",
    "caller": "substr(s.model, 8)",
    "label": "substr(s.model, 7)",
}


def series_of(group: Group | None, provider: str | None, model: str | None) -> str:
    """The series `s` whose sum answers the question: the fewest there are (see `store.steps`)."""
    narrowed = provider is not None or model is not None
    wanted = []
    if provider is not None:
        wanted.append("s.provider = :provider")
    if model is not None:
        wanted.append("s.model = :model")
    if group in {"caller", "label"}:  # `:` is followed by `;`
        return f"s.provider = '' AND s.model >= '{group}:' AND s.model < '{group};' AND s.outcome = '' AND s.grade = ''"
    if group == "outcome/grade":
        return " AND ".join([*wanted, "s.model <> '' AND s.outcome <> '' AND s.grade <> ''"])
    if group in {"outcome", "grade"}:
        wanted += [f"s.{group} <> ''", "s.model <> ''" if narrowed else "s.provider = ''"]
        if narrowed:
            wanted.append("s.outcome <> '' AND s.grade <> ''")
        return " AND ".join(wanted)
    wanted.append("s.outcome = '' AND s.grade = ''")
    if model is None:
        wanted.append("s.model <> ''" if group == "model" else "s.model = ''")
    if not narrowed:
        wanted.append("s.provider <> ''" if group else "s.provider = ''")
    return " AND ".join(wanted)


def _last(bound: str) -> str:
    """The last place of series `s` before the slot `bound`."""
    return f"(SELECT max(place) FROM rollup_running WHERE place >= s.id << 32 AND place < (s.id << 32 | {bound}))"


def _before(name: str, bound: str) -> str:
    """The running total of series `s` before the slot `bound`; NULL: it had counted nothing."""
    return (
        f"(SELECT {name} FROM rollup_running WHERE place >= s.id << 32 AND place < (s.id << 32 | {bound})"
        " ORDER BY place DESC LIMIT 1)"
    )


_CURRENT = """rollup_current AS c JOIN usage_members AS m ON m.series = c.series
      JOIN usage_series AS s ON s.id = m.whole"""


_IN_LEDGER = (
    "SELECT coalesce(sum(cost_nanos), 0) FROM ledger WHERE (p.slug = '' OR provider = p.slug) AND at >= "
)
SPENT = f"""(coalesce({_before("cost_nanos", "p.last")}, 0) - coalesce({_before("cost_nanos", "p.first")}, 0)
    + (SELECT coalesce(sum(c.cost_nanos), 0) FROM rollup_current AS c JOIN usage_members AS m ON m.series = c.series
        WHERE m.whole = s.id AND c.slot >= p.first AND c.slot < p.last)
    + ({_IN_LEDGER} p.start AND at < min(p.first * {SLOT_MS}, p.end))
    + ({_IN_LEDGER} p.last * {SLOT_MS} AND at < p.end))"""
"""Nano-dollars of the attempts that started in [p.start, p.end), to the millisecond; those of unknown cost count nothing.

Whole slots (p.first up to p.last, see `whole_slots`) come from the roll-ups, the rest from the ledger.
`p.slug` is the provider, or empty for all; `s` is joined ON `SPENT_SERIES`, LEFT.
"""
SPENT_SERIES = "s.provider = p.slug AND s.model = '' AND s.outcome = '' AND s.grade = ''"


def whole_slots(start_ms: int, end_ms: int) -> tuple[int, int]:
    """The slots that lie wholly in [start, end): the first, and the one after the last; the same where none does."""
    first = -(-start_ms // SLOT_MS)
    return first, max(first, end_ms // SLOT_MS)


def between(key: str, names: Sequence[str], where: str) -> str:
    """(key, what was counted between the slots :low and :high) per series; the newest slot follows in rows of its own."""
    return _in_one(_changes(key, names, where, "json_array({})"))


def cumulated(key: str, names: Sequence[str], where: str, most: int | None = None) -> str:
    """(series, key, bound, running totals before it), series after series, bound after bound of the slots :bounds.

    Then, with series 0, what each series counted in the newest slot: (0, key, the slot, counts).
    `most`: only so many keys, those with the most of the first measure between :low and :high.
    """
    first, where = _those_with_most(key, names[0], where, most)
    sql = f"""
SELECT json_array(s.id, {key}, b.value, {", ".join(f"r.{name}" for name in names)})
  FROM usage_series AS s CROSS JOIN json_each(:bounds) AS b
  CROSS JOIN rollup_running AS r ON r.place = {_last("b.value")}
 WHERE {where}
 UNION ALL
SELECT json_array(0, {key}, c.slot, {", ".join(f"c.{name}" for name in names)}) FROM {_CURRENT} WHERE {where}
"""
    return _in_one(sql, first)


def lines(key: str, name: str, where: str, most: int | None = None, *, chosen: bool = False) -> str:
    """(key, [running total before each of the slots :bounds]) per series, then (key, the newest slot, its count).

    As `cumulated` for one measure, with one descent into the tree for a figure and each key only once:
    a chart has thousands of figures. `chosen`: only the keys in the JSON list :keys.
    """
    first, where = _those_with_most(key, name, where, most)
    if chosen:
        where += f" AND {key} IN (SELECT value FROM json_each(:keys))"
    sql = f"""
SELECT '[' || json_quote({key}) || ',' ||
       (SELECT json_group_array(coalesce({_before(name, "b.value")}, 0)) FROM json_each(:bounds) AS b) || ']'
  FROM usage_series AS s WHERE {where}
 UNION ALL
SELECT json_array({key}, c.slot, {_of("c", name)}) FROM {_CURRENT} WHERE {where}
"""
    return _in_one(sql, first)


def _of(table: str, name: str) -> str:
    """A counter of a table, or the sum of some (`input + output`)."""
    return " + ".join(f"{table}.{part}" for part in name.split(" + "))


def _changes(key: str, names: Sequence[str], where: str, form: str = "{}") -> str:
    new = ", ".join((key, *(f"{_of('h', name)} - coalesce({_of('l', name)}, 0)" for name in names)))
    current = ", ".join((key, *(_of("c", name) for name in names)))
    return f"""
SELECT {form.format(new)} FROM usage_series AS s
 CROSS JOIN rollup_running AS h ON h.place = {_last(":high")}
  LEFT JOIN rollup_running AS l ON l.place = {_last(":low")}
 WHERE h.place >= (s.id << 32 | :low) AND {where}
 UNION ALL
SELECT {form.format(current)} FROM {_CURRENT}
 WHERE c.slot >= :low AND c.slot < :high AND {where}
"""


def _those_with_most(key: str, name: str, where: str, most: int | None) -> tuple[str, str]:
    """What to put first into a WITH, and the condition that narrows to it; of equals, those with more attempts."""
    if most is None:
        return "", where
    first = f"""change (key, much, attempts) AS ({_changes(key, (name, "attempts"), where)}),
top AS MATERIALIZED (
    SELECT key FROM change GROUP BY key ORDER BY sum(much) DESC, sum(attempts) DESC, key LIMIT {most}
),"""
    return first, f"{where} AND {key} IN (SELECT key FROM top)"


def _in_one(sql: str, first: str = "") -> str:
    """All rows, each a JSON text, as one: fetched one by one, each would wait for the interpreter's lock once."""
    return (
        f"WITH {first} line (text) AS ({sql}) SELECT '[' || coalesce(group_concat(text), '') || ']' FROM line"
    )
