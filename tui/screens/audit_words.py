"""What an audit entry says to a reader who knows no code: who, what, and how it ended."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.plaintext import one_line
from tui.formatting import StateMark, state, whole
from tui.screens.audit_changes import change
from tui.screens.audit_values import Change, changes, rest
from tui.widgets.pairs import Pair

if TYPE_CHECKING:
    from store.audit import AuditRow

_ACTOR = re.compile(
    r"(?P<user>[^@\s]+)@(?P<host>\S+)(?: \(ssh (?P<client>[^)]*)\))?(?: (?P<face>[\w-]+)(?:\[(?P<pid>\d+)\])?)?"
)
_FACES = {"tui": "the terminal program", "cli": "the command line", "demo": "the demo"}


@dataclass(frozen=True, slots=True)
class Who:
    """Who acted, taken apart."""

    name: str
    """`anna@host`."""
    client: str = ""
    """The machine they came from over SSH; empty: none."""
    face: str = ""
    """`tui`, `cli`; empty: not said."""
    process: str = ""

    @property
    def via(self) -> str:
        """`ssh 10.0.0.1`; empty when they sat at the machine."""
        return f"ssh {self.client}" if self.client else ""

    @property
    def program(self) -> str:
        """`tui 4242`."""
        return f"{self.face} {self.process}".strip()


def who(actor: str) -> Who:
    """`ann@box (ssh 10.0.0.1) cli[4242]` taken apart; an actor of another shape is its own name."""
    match = _ACTOR.fullmatch(actor)
    if match is None:
        return Who(one_line(actor, 80))
    parts = {name: one_line(text or "", 80) for name, text in match.groupdict().items()}
    return Who(f"{parts['user']}@{parts['host']}", parts["client"], parts["face"], parts["pid"])


def result_mark(row: AuditRow) -> StateMark:
    """How it ended, glyph and word."""
    mark = state({"invalid_credentials": "invalid_key"}.get(row.result, row.result))
    if row.result == "off" or mark.glyph != "◌" or row.result in ("locked", "untested"):
        return mark
    return StateMark("✕", mark.word, "bad")


PHRASES = {
    "provider.add": "added the provider {}",
    "provider.edit": "changed the provider {}",
    "provider.remove": "removed the provider {}",
    "provider.enable": "switched the provider {} on",
    "provider.disable": "switched the provider {} off",
    "provider.test": "tested the provider {}",
    "provider.sync": "synced the models of {}",
    "provider.login": "signed in to {}",
    "account.pull": "read the account of {}",
    "usage.import": "took in a bill of {}",
    "usage.forget": "took back a bill of {}",
    "key.set": "set the key of {}",
    "key.remove": "removed the key of {}",
    "vault.move": "moved the keys to the {}",
    "budget.set": "set the {}",
    "budget.remove": "removed the {}",
    "model.enable": "switched models of {} on",
    "model.disable": "switched models of {} off",
    "model.default": "chose the model of new chats",
    "model.probe": "asked {} what it can do",
    "model.say": "said what {} can do",
    "model.price": "said what {} costs",
    "model.map": "said which model {} is",
    "model.cost": "said how {} is paid",
    "model.set": "took over what was chosen for {}",
    "model.pull": "downloaded {}",
    "model.copy": "gave {} a second name",
    "model.delete": "deleted {}",
    "config.import": "imported the configuration {}",
    "catalog.refresh": "fetched newer facts from {}",
    "catalog.user": "saw {} change, a catalog file of yours",
    "catalog.add": "took over the catalog file {}",
    "offline.on": "went offline",
    "offline.off": "went online",
    "conversation.delete": "deleted the conversation {}",
    "setting.set": "changed the setting {}",
    "setting.unset": "put the setting {} back to its default",
    "run": "sent a prompt to {}",
    "run.recovered": "settled a prompt to {} that was cut off",
}


def short_subject(row: AuditRow) -> str:
    """What it was done to, for a column: `anthropic monthly` for a provider's limit."""
    text = row.subject.removeprefix("provider:") if row.action.startswith("budget.") else row.subject
    return one_line(text, 120)


def subject(row: AuditRow) -> str:
    """What it was done to, in words: `daily limit of all providers`."""
    if row.action.startswith("budget."):
        scope, _, period = row.subject.rpartition(" ")
        whose = "all providers" if scope == "global" else scope.removeprefix("provider:")
        return one_line(f"{period} limit of {whose}", 120)
    return one_line(row.subject, 120)


def sentence(row: AuditRow) -> str:
    """`anna@host set the daily limit of all providers: $5.00 → $8.00`."""
    words = change(row)
    done = PHRASES.get(row.action, "{}").format(subject(row))
    if row.action not in PHRASES:
        done = f"did {one_line(row.action, 40)} on {done}"
    return f"{who(row.actor).name} {done}" + (f": {words}" if words else "")


def moment(ms: int) -> str:
    """The time of an entry in the user's zone: `2025-11-20 14:02:11 CET`."""
    return f"{dt.datetime.fromtimestamp(ms / 1000).astimezone():%Y-%m-%d %H:%M:%S %Z}"


def origin(row: AuditRow) -> str:
    """Where it came from: `over SSH from 10.0.0.1, tui 4242`."""
    by = who(row.actor)
    return ", ".join(part for part in (f"over SSH from {by.client}" if by.client else "", by.program) if part)


def signature(row: AuditRow) -> str:
    """The two ends of an entry's signature."""
    return f"{row.mac[:8]}…{row.mac[-8:]}"


def record(row: AuditRow, newest: int) -> list[Pair]:
    """Every field of an entry, for its page."""
    by, mark = who(row.actor), result_mark(row)
    pairs: list[Pair] = [
        ("what", sentence(row), "strong"),
        ("result", str(mark), mark.tone),
        ("why", one_line(row.reason or "", 400) or "no reason was given", "" if row.reason else "dim"),
        ("when", moment(row.at), ""),
        ("who", by.name, ""),
        (
            "came from",
            f"{by.client}, by SSH" if by.client else "the machine itself",
            "" if by.client else "dim",
        ),
        ("program", _FACES.get(by.face, by.face) + (f", process {by.process}" if by.process else ""), ""),
        ("action", one_line(row.action), ""),
        ("subject", one_line(row.subject, 400), ""),
    ]
    pairs += [_pair(entry) for entry in changes(row.detail)]
    pairs += [(name, text, "") for name, text in rest(row.detail)]
    pairs += [
        ("entry", f"{whole(row.id)} of {whole(max(newest, row.id))}", "dim"),
        ("signature", f"{signature(row)}, signed together with the entry before", "dim"),
    ]
    return pairs


def _pair(entry: Change) -> Pair:
    if entry.same:
        return entry.label or "value", f"{entry.new} (not changed)", "dim"
    return entry.label or "value", str(entry), "accent"
