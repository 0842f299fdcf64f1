"""An audit entry is read by people: who, what, before → after, and how it ended, for every action that is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from store.audit import AuditRow
from tui.screens import audit_words
from tui.screens.audit_changes import change
from tui.screens.audit_values import changes, value
from tui.screens.audit_words import origin, record, result_mark, sentence, who
from tui.screens.schedule_words import schedule, until

ACTOR = "anna@host (ssh 10.0.0.1) tui[4242]"


def entry(
    action: str, subject: str, detail: dict[str, Any], result: str = "ok", reason: str | None = None
) -> AuditRow:
    return AuditRow(7, 1_763_676_000_000, ACTOR, action, subject, result, detail, reason, "ab" * 32)


def test_who_is_taken_apart() -> None:
    assert who(ACTOR) == audit_words.Who("anna@host", "10.0.0.1", "tui", "4242")
    assert who("bo@box cli[7]") == audit_words.Who("bo@box", "", "cli", "7")
    assert who("the night shift") == audit_words.Who("the night shift")
    assert "\x1b" not in who("\x1b[31mx@y tui[1]").name


LIMIT = {"alert": 0.8, "until": None}
ROWS = [
    (
        "budget.set", "global daily",
        {"before": {"limit_usd": "5", **LIMIT}, "after": {"limit_usd": "8", **LIMIT}},
        "$5.00 → $8.00", "anna@host set the daily limit of all providers: $5.00 → $8.00",
    ),
    (
        "budget.set", "provider:mine monthly",
        {"before": None, "after": {"limit_usd": "50", **LIMIT}},
        "no limit → $50.00, warns at 80%", "anna@host set the monthly limit of mine: ",
    ),
    (
        "budget.remove", "global daily", {"before": {"limit_usd": "5", **LIMIT}, "after": None},
        "$5.00 → no limit", "anna@host removed the daily limit of all providers",
    ),
    (
        "provider.add", "mine", {"catalog_id": "openai", "endpoint": "https://x", "key": "keyring:mine", "key_last4": "vX2Q", "tested": True},
        "openai, https://x, key in keyring …vX2Q, tested", "anna@host added the provider mine",
    ),
    (
        "provider.edit", "mine", {"before": {"auto_sync": "off", "timeout_s": None}, "after": {"auto_sync": "6h", "timeout_s": 30.0}},
        "sync off → every 6 h, timeout as set for all → 30 s", "anna@host changed the provider mine: ",
    ),
    ("provider.enable", "mine", {"before": {"enabled": False}, "after": {"enabled": True}}, "off → on", "switched the provider mine on"),
    ("provider.disable", "mine", {"before": {"enabled": True}, "after": {"enabled": False}}, "on → off", "switched the provider mine off"),
    ("provider.remove", "mine", {"endpoint": "https://x", "dependents": ["2 conversations"]}, "https://x → gone, was used by 2 conversations", "removed"),
    ("provider.test", "mine", {"latency_ms": 412}, "answered in 0.41 s", "tested the provider mine"),
    ("provider.test", "mine", {"latency_ms": None}, "no answer", "tested the provider mine"),
    (
        "provider.sync", "mine", {"total": 41, "added": 2, "updated": 1, "removed": 0, "duration_ms": 90, "error": None},
        "41 models, 2 new, 1 changed in 90 ms", "synced the models of mine",
    ),
    (
        "provider.sync", "mine", {"total": 41, "added": 0, "updated": 0, "removed": 0, "duration_ms": 90, "error": "network"},
        "nothing fetched in 90 ms, the last list of 41 models stays", "synced the models of mine",
    ),
    (
        "key.set", "mine",
        {"before": {"key": None, "key_last4": None}, "after": {"key": "keyring:mine", "key_last4": "vX2Q"}, "tested": False},
        "none → keyring …vX2Q, untested", "set the key of mine",
    ),
    (
        "key.remove", "mine", {"before": {"key": "env:OPENAI_API_KEY", "key_last4": None}, "after": {"key": None, "key_last4": None}},
        "env OPENAI_API_KEY → none", "removed the key of mine",
    ),
    (
        "key.set", "mine",
        {"role": "admin", "before": {"key": None, "key_last4": None}, "after": {"key": "vault:mine#admin", "key_last4": "vX2Q"}, "tested": True},
        "account key: none → vault …vX2Q, tested", "set the key of mine",
    ),
    ("account.pull", "mine", {"figures": 1, "usage": 35, "cost": 70}, "1 figure, 35 of usage, 70 of costs", "read the account of mine"),
    ("account.pull", "mine", {"figures": 0, "error": "network"}, "nothing read, the last figures stay", "read the account of mine"),
    ("vault.move", "keyring", {"moved": 3}, "keys moved 3", "moved the keys to the keyring"),
    ("model.enable", "mine", {"models": ["a", "b", "c", "d"]}, "a, b, c and 1 more → on", "switched models of mine on"),
    ("model.disable", "mine", {"models": ["a"]}, "a → off", "switched models of mine off"),
    ("model.default", "mine/a", {"before": None, "after": "mine/a"}, "the first provider's → mine/a", "chose the model of new chats"),
    ("offline.on", "network", {"before": False, "after": True}, "online → offline", "went offline"),
    ("offline.off", "network", {"before": True, "after": False}, "offline → online", "went online"),
    ("conversation.delete", "c1", {}, "its messages are gone, what it cost stays", "deleted the conversation c1"),
    (
        "run", "mine/a", {"attempts": 2, "input": 812, "output": 340, "cost_usd": "0.0054", "error": None},
        "812 → 340 tokens, $0.0054, 2 attempts", "sent a prompt to mine/a",
    ),
    ("run", "mine/a", {"input": 9, "output": 4, "cost_usd": None, "grade": "own"}, "9 → 4 tokens, own hardware", "sent a prompt to mine/a"),
    ("run", "mine/a", {"input": 9, "output": 4, "cost_usd": None, "grade": "unknown"}, "9 → 4 tokens, cost unknown", "sent"),
    ("run", "mine/a", {"code": "over_budget"}, "not sent: over budget", "sent a prompt to mine/a"),
    (
        "run.recovered", "mine/a", {"reserved_nanos": 40_000_000, "counted": "estimated"},
        "cut off with its program; $0.0400 had been set aside", "settled a prompt to mine/a that was cut off",
    ),
    ("model.price", "mine/a", {"before": {}, "after": {"price": {"input": "2.5", "output": "10"}}}, "as listed → $2.5 / $10", "said what mine/a costs"),
    ("model.price", "mine/a", {"before": {}, "after": {"name": "Our chat", "context_window": 128000, "max_output": 4096}}, "as listed → called Our chat, 128000 context, 4096 longest answer", "said what mine/a costs"),
    ("model.price", "mine/a", {"before": {"price": {"input": "2", "output": "8"}}, "after": {"price": {"input": "2", "output": "8", "scheduled": [{"from_date": "2026-12-01", "input": "3", "output": "9"}]}}, "from": "2026-12-01"}, "$2 / $8 → $2 / $8, later $3 / $9 from 2026-12-01 on", "said what mine/a costs"),
    ("model.map", "mine/a", {"before": {}, "after": {"map_to": "openai/gpt-4o"}}, "as listed → as openai/gpt-4o", "said which model mine/a is"),
    ("model.cost", "mine/a", {"before": {"map_to": "openai/gpt-4o"}, "after": {"cost": "own", "gpu_hour_usd": "2.500000000", "map_to": "openai/gpt-4o"}}, "as openai/gpt-4o → own, as openai/gpt-4o", "said how mine/a is paid"),
    ("setting.set", "appearance.theme", {"before": "dark", "after": "light"}, "dark → light", "changed the setting appearance.theme"),
    ("setting.unset", "retry.attempts", {"before": 5, "after": 3}, "5 → 3", "put the setting retry.attempts back to its default"),
    ("model.probe", "mine/a", {"before": {"tools": None}, "after": {"tools": True}}, "tools yes", "asked mine/a what it can do"),
    ("model.say", "mine/a", {"before": {"tools": None}, "after": {"tools": True}}, "tools yes", "said what mine/a can do"),
    ("model.set", "mine/a", {"enabled": False, "cost": "own"}, "state off, cost own", "took over what was chosen for mine/a"),
    ("model.pull", "box/llama3.2:3b", {"seconds": 90, "bytes": 2_019_393_189}, "2.0 GB in 90 s", "downloaded box/llama3.2:3b"),
    ("model.copy", "box/llama3.2:3b", {"name": "house"}, "also called house", "gave box/llama3.2:3b a second name"),
    ("model.delete", "box/llama3.2:3b", {}, "gone from its machine", "deleted box/llama3.2:3b"),
    ("provider.login", "work", {"kept_in": "vault", "at": 1_763_676_000_000}, "tokens in the vault", "signed in to work"),
    ("usage.import", "mine", {"file": "october.csv", "since": "2026-10-01T00:00:00.000Z", "until": "2026-11-01T00:00:00.000Z", "usage": 31, "cost": 4}, "october.csv: 31 of usage, 4 of costs, 2026-10-01 until 2026-11-01", "took in a bill of mine"),
    ("usage.forget", "mine", {"file": "october.csv"}, "what october.csv said → gone", "took back a bill of mine"),
    ("config.import", "providers.toml", {"format": "toml", "changes": 3}, "format toml, changes 3", "imported the configuration providers.toml"),
    ("catalog.add", "acme.json", {"imported": True}, "imported yes", "took over the catalog file acme.json"),
    ("catalog.refresh", "catwalk", {"models": 1345, "added": 2}, "models 1 345, new 2", "fetched newer facts from catwalk"),
    ("catalog.user", "openai.json", {"added": 0, "updated": 2, "removed": 0}, "new 0, changed 2, gone 0", "saw openai.json change, a catalog file of yours"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "subject", "detail", "words", "said"), ROWS, ids=lambda part: part if isinstance(part, str) and "." in part and " " not in part else "")  # fmt: skip
def test_every_action_in_words(
    action: str, subject: str, detail: dict[str, Any], words: str, said: str
) -> None:
    row = entry(action, subject, detail)
    assert change(row) == words
    assert said in sentence(row)
    assert sentence(row).startswith("anna@host ")


def test_no_action_of_the_program_is_forgotten() -> None:
    """Whatever a service writes has its sentence, and a row in the table above."""
    written: set[str] = set()
    for path in (Path(__file__).parents[2] / "services").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if ("audit.record(" in text or ".interaction(" in text) and not path.name.startswith("demo"):
            written |= set(re.findall(r'"([a-z]+\.[a-z]+)"', text))
    areas = {name.partition(".")[0] for name in audit_words.PHRASES}
    actions = {name for name in written if name.partition(".")[0] in areas}
    assert len(actions) >= 20
    assert actions <= set(audit_words.PHRASES)
    assert set(audit_words.PHRASES) == {row[0] for row in ROWS}


def test_an_unknown_action_is_told_without_inventing() -> None:
    row = entry("route.switch", "default", {"before": {"order": ["a", "b"]}, "after": {"order": ["b", "a"]}})
    assert sentence(row) == "anna@host did route.switch on default: order a, b → b, a"
    assert change(entry("x", "y", {"note": "hello", "none": None})) == "note hello"
    assert change(entry("x", "y", {"before": {"a": 1}, "after": {"a": 1}})) == "1, as before"


def test_results_have_a_glyph_and_a_word() -> None:
    assert str(result_mark(entry("run", "m", {}, "complete"))) == "● complete"
    assert str(result_mark(entry("run", "m", {}, "refused"))) == "✕ refused"
    assert str(result_mark(entry("provider.sync", "m", {}, "invalid_credentials"))) == "✕ invalid key"
    assert result_mark(entry("provider.sync", "m", {}, "network")).tone == "bad"


def test_the_whole_record_has_every_field() -> None:
    detail = {"before": {"limit_usd": "5", **LIMIT}, "after": {"limit_usd": "8", **LIMIT}, "extra": [1, 2]}
    pairs = record(entry("budget.set", "global daily", detail, reason="more people"), 12408)
    told = {name: text for name, text, _ in pairs}
    assert told["why"] == "more people"
    assert told["limit"] == "$5.00 → $8.00"
    assert told["warns at"] == "80% (not changed)"
    assert told["came from"] == "10.0.0.1, by SSH"
    assert told["program"] == "the terminal program, process 4242"
    assert told["extra"] == "1, 2"
    assert told["entry"] == "7 of 12 408"
    assert told["signature"].startswith("abababab…abababab")
    assert origin(entry("x", "y", {})) == "over SSH from 10.0.0.1, tui 4242"


def test_dangerous_text_is_harmless() -> None:
    row = entry(
        "provider.edit", "mi\x1b[2Jne", {"before": {"name": "a\x1b]52;c;x\x07"}, "after": {"name": "b\nc"}}
    )
    for text in (sentence(row), change(row), *(text for _, text, _ in record(row, 7))):
        assert "\x1b" not in text
        assert "\n" not in text


def test_values() -> None:
    assert value("gpu_hour_nanos", 1_500_000_000) == "$1.50"
    assert value("until", "2026-01-01T00:00:00Z")[:4] in ("2025", "2026")
    assert value("headers", {"x-team": "a"}) == "x-team=a"
    assert value("limit_usd", "what") == "what"
    assert changes({"before": 1}) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("off", "off"), ("start", "at start"), ("6h", "every 6 h"), ("30m", "every 30 min"), ("0 6 * * *", "daily 06:00"),
        ("30 18 * * 1-5", "Mon-Fri 18:30"), ("0 6 * * 0", "Sun 06:00"), ("*/15 * * * *", "cron */15 * * * *"),
    ],
)  # fmt: skip
def test_schedules_in_words(text: str, words: str) -> None:
    assert schedule(text) == words


@pytest.mark.parametrize(
    ("ms", "words"),
    [(-5, "now"), (0, "now"), (400, "in 1s"), (59_000, "in 59s"), (180_000, "in 3m"), (90 * 60_000, "in 90m"), (3 * 3_600_000, "in 3h"), (5 * 86_400_000, "in 5d")],
)  # fmt: skip
def test_times_to_come(ms: int, words: str) -> None:
    assert until(1_000_000 + ms, 1_000_000) == words
