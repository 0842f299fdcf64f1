"""What an audit entry changed, on one line: before → after, or what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from catalog.plaintext import one_line
from catalog.sizes import size_words
from tui.formatting import count, duration, tokens, whole
from tui.screens.audit_values import changes, key_place, label, rest, several, value

if TYPE_CHECKING:
    from store.audit import AuditRow


def change(row: AuditRow) -> str:
    """Before → after, or what came of it, on one line; empty when the action says it all."""
    special = _CHANGES.get(row.action)
    words = special(row.detail) if special is not None else None
    return _joined(row.detail) if words is None else words


def _joined(detail: Mapping[str, Any]) -> str:
    stated = changes(detail)
    found = [entry for entry in stated if not entry.same]
    if stated and not found:
        return f"{stated[0].new}, as before"
    if len(found) == 1 and found[0].label in ("", "limit", "state"):
        return str(found[0])
    words = ", ".join(
        str(entry) if entry.label in ("", "limit") else f"{entry.label} {entry}" for entry in found
    )
    return words or ", ".join(f"{name} {text}" for name, text in rest(detail) if text != "none")


def _budget(detail: Mapping[str, Any]) -> str | None:
    """The limit first; what else was said only where it is new or another."""
    before, after = detail.get("before"), detail.get("after")
    old = before if isinstance(before, Mapping) else {}
    new = after if isinstance(after, Mapping) else {}
    if not old and not new:
        return None
    limits = [value("limit_usd", side.get("limit_usd")) for side in (old, new)]
    parts = [f"{limits[0]} → {limits[1]}" if limits[0] != limits[1] else f"{limits[1]}, as before"]
    parts += [
        f"{label(name)} {value(name, new[name])}"
        for name in ("alert", "until")
        if new.get(name) is not None and new[name] != old.get(name)
    ]
    return ", ".join(parts)


def _key_change(detail: Mapping[str, Any]) -> str | None:
    before, after = detail.get("before"), detail.get("after")
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return None
    tested = {True: ", tested", False: ", untested"}.get(detail.get("tested", None), "")
    role = "account key: " if detail.get("role") == "admin" else ""
    return f"{role}{key_place(before)} → {key_place(after)}{tested}"


def _added(detail: Mapping[str, Any]) -> str:
    tested = {True: "tested", False: "untested"}.get(detail.get("tested", None))
    parts = [value(name, detail[name]) for name in ("catalog_id", "endpoint") if detail.get(name)]
    if detail.get("key"):
        parts.append(f"key in {key_place(detail)}")
    return ", ".join([*parts, *([tested] if tested else [])])


def _removed(detail: Mapping[str, Any]) -> str:
    used = detail.get("dependents")
    return f"{value('endpoint', detail.get('endpoint'))} → gone" + (
        f", was used by {value('dependents', used)}" if used else ""
    )


def _synced(detail: Mapping[str, Any]) -> str:
    took = f" in {duration(detail.get('duration_ms'))}" if detail.get("duration_ms") is not None else ""
    if detail.get("error"):
        return f"nothing fetched{took}, the last list of {count(_int(detail, 'total'), 'model')} stays"
    parts = [
        f"{whole(_int(detail, name))} {word}"
        for name, word in (("added", "new"), ("updated", "changed"), ("removed", "gone"))
        if _int(detail, name)
    ]
    return f"{count(_int(detail, 'total'), 'model')}, {', '.join(parts) or 'nothing new'}{took}"


def _pulled(detail: Mapping[str, Any]) -> str:
    size = size_words(_int(detail, "bytes")) if detail.get("bytes") is not None else "nothing"
    return f"{size} in {duration(_int(detail, 'seconds') * 1000)}"


def _bill(detail: Mapping[str, Any]) -> str:
    """`bill.csv: 31 of usage, 4 of costs, 2026-10-01 until 2026-11-01`."""
    since, until = (one_line(str(detail.get(name))[:10]) for name in ("since", "until"))
    return f"{one_line(str(detail.get('file')), 80)}: {_counted(detail)}, {since} until {until}"


def _counted(detail: Mapping[str, Any]) -> str:
    return f"{whole(_int(detail, 'usage'))} of usage, {whole(_int(detail, 'cost'))} of costs"


def _account(detail: Mapping[str, Any]) -> str:
    if detail.get("error"):
        return "nothing read, the last figures stay"
    parts = [count(_int(detail, "figures"), "figure")]
    if "cost" in detail or "usage" in detail:
        parts.append(_counted(detail))
    return ", ".join(parts)


def _tested(detail: Mapping[str, Any]) -> str:
    latency = detail.get("latency_ms")
    return f"answered in {duration(latency)}" if isinstance(latency, int) else "no answer"


def _run(detail: Mapping[str, Any]) -> str:
    if code := detail.get("code"):
        return f"not sent: {value('code', code)}"
    cost = "own hardware" if detail.get("grade") == "own" else "cost unknown"
    if detail.get("cost_usd") is not None:
        cost = value("cost_usd", detail["cost_usd"])
    parts = [f"{tokens(detail.get('input'))} → {tokens(detail.get('output'))} tokens", cost]
    attempts = _int(detail, "attempts")
    if attempts > 1:
        parts.append(f"{attempts} attempts")
    if detail.get("error"):
        parts.append(value("error", detail["error"]))
    return ", ".join(parts)


def _recovered(detail: Mapping[str, Any]) -> str:
    return f"cut off with its program; {value('reserved_nanos', detail.get('reserved_nanos'))} had been set aside"


def _switched(to: str) -> Callable[[Mapping[str, Any]], str | None]:
    def words(detail: Mapping[str, Any]) -> str | None:
        models = detail.get("models")
        return f"{several([str(m) for m in models])} → {to}" if isinstance(models, list) else None

    return words


def _default(detail: Mapping[str, Any]) -> str:
    none = "the first provider's"
    return f"{one_line(str(detail.get('before') or none))} → {one_line(str(detail.get('after') or none))}"


def _abilities(detail: Mapping[str, Any]) -> str | None:
    """`tools yes → no, vision yes`."""
    before, after = detail.get("before"), detail.get("after")
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return None
    words: dict[object, str] = {True: "yes", False: "no"}
    told = []
    for name, now in after.items():
        then, can = words.get(before.get(name), "unsaid"), words.get(now, "unsaid")
        told.append(f"{one_line(str(name), 20)} {f'{then} → ' if then not in ('unsaid', can) else ''}{can}")
    return ", ".join(told)


def _charged(detail: Mapping[str, Any]) -> str:
    day = f" from {one_line(str(detail['from']), 20)} on" if detail.get("from") else ""
    return f"{_charge(detail.get('before'))} → {_charge(detail.get('after'))}{day}"


def _charge(told: object) -> str:
    """`$2.50 / $10.00`, `own`, `as openai/gpt-4o`: how a model is charged."""
    if not isinstance(told, Mapping) or not told:
        return "as listed"
    words = [one_line(str(told["cost"]), 20)] if told.get("cost") else []
    price = told.get("price")
    if isinstance(price, Mapping):
        dated = price.get("scheduled")
        last = dated[-1] if isinstance(dated, list) and dated and isinstance(dated[-1], Mapping) else price
        shown = price if price.get("input") is not None else last
        words.append(
            " / ".join(f"${one_line(str(shown.get(side, '?')), 20)}" for side in ("input", "output"))
        )
        if shown is price and last is not price:
            words.append(
                f"later ${one_line(str(last.get('input', '?')), 20)} / ${one_line(str(last.get('output', '?')), 20)}"
            )
    if isinstance(told.get("name"), str):
        words.append(f"called {one_line(told['name'], 40)}")
    words += [
        f"{one_line(str(told[field]), 12)} {unit}"
        for field, unit in (("context_window", "context"), ("max_output", "longest answer"))
        if told.get(field)
    ]
    if told.get("map_to"):
        words.append(f"as {one_line(str(told['map_to']), 80)}")
    return ", ".join(words) or "as listed"


def _int(detail: Mapping[str, Any], name: str) -> int:
    number = detail.get(name)
    return number if isinstance(number, int) else 0


_CHANGES: dict[str, Callable[[Mapping[str, Any]], str | None]] = {
    "budget.set": _budget,
    "budget.remove": _budget,
    "provider.add": _added,
    "provider.remove": _removed,
    "provider.sync": _synced,
    "provider.test": _tested,
    "provider.login": lambda detail: f"tokens in {value('backend', detail.get('kept_in'))}",
    "account.pull": _account,
    "usage.import": _bill,
    "usage.forget": lambda detail: f"what {one_line(str(detail.get('file')), 80)} said → gone",
    "key.set": _key_change,
    "key.remove": _key_change,
    "model.enable": _switched("on"),
    "model.disable": _switched("off"),
    "model.default": _default,
    "model.probe": _abilities,
    "model.say": _abilities,
    "model.price": _charged,
    "model.map": _charged,
    "model.cost": _charged,
    "model.pull": _pulled,
    "model.copy": lambda detail: f"also called {one_line(str(detail.get('name')), 80)}",
    "model.delete": lambda _detail: "gone from its machine",
    "offline.on": lambda _detail: "online → offline",
    "offline.off": lambda _detail: "offline → online",
    "conversation.delete": lambda _detail: "its messages are gone, what it cost stays",
    "run": _run,
    "run.recovered": _recovered,
}
