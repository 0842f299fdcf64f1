"""What the demo holds besides runs: conversations with Markdown answers, limits, and the week's audit rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from adapters.fake_scripts import ANSWERS, Answer
from catalog.money import to_nanos
from services import clock
from services.demo_history import attempt, tariffs
from store.conversations import ConversationRow, Conversations, MessageRow
from store.ledger import AttemptRow

if TYPE_CHECKING:
    from services.container import Services

_LIMITS = (
    ("global", "daily", "5", 0.8),
    ("global", "monthly", "60", 0.8),
    ("provider:anthropic", "monthly", "25", 0.9),
)
_WHO = "dana@studio tui[4182]"


@dataclass(frozen=True, slots=True)
class _Turn:
    prompt: str
    provider: str
    model: str
    minutes_ago: int
    pace: tuple[int, int]
    """Milliseconds to the first token, then tokens a second."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation, ready to be written, and the runs that made it."""

    row: ConversationRow
    messages: tuple[MessageRow, ...]
    runs: tuple[AttemptRow, ...]


_TALKS: tuple[tuple[str, tuple[_Turn, ...]], ...] = (
    (
        "What a request costs",
        (
            _Turn(
                "Write a Python function for the cost of one request.",
                "openai-prod",
                "gpt-6.1-sol",
                96,
                (540, 84),
            ),
            _Turn(
                "Compare a small and a large model for that job.", "openai-prod", "gpt-6-luna", 92, (300, 117)
            ),
        ),
    ),
    (
        "Why a control room",
        (_Turn("What is a control room good for?", "anthropic", "claude-sonnet-5-5", 1_520, (810, 74)),),
    ),
    (
        "Polish, Japanese, emoji",
        (_Turn("Show me some Polish and Japanese, with emoji.", "homelab", "qwen3:8b", 4_330, (270, 38)),),
    ),
)


async def conversation_runs(services: Services, now: int) -> list[Talk]:
    """The conversations with the runs behind their answers."""
    prices = await tariffs(services)
    talks = []
    for number, (title, turns) in enumerate(_TALKS):
        talk_id = f"demo-talk-{number}"
        messages: list[MessageRow] = []
        runs: list[AttemptRow] = []
        for position, turn in enumerate(turns):
            answer = next(answer for answer in ANSWERS if answer.text and answer.fits(turn.prompt))
            run = attempt(
                f"{talk_id}-{position}",
                now - turn.minutes_ago * clock.MINUTE_MS,
                (turn.provider, turn.model),
                prices[(turn.provider, turn.model)],
                tokens=(14 + 210 * position, len(answer.text) // 4),
                pace=turn.pace,
            )
            runs.append(replace(run, caller="tui", conversation_id=talk_id))
            messages += _messages(talk_id, 2 * position, turn, answer, run)
        ref = f"{turns[-1].provider}/{turns[-1].model}"
        row = ConversationRow(talk_id, title, ref, None, "{}", messages[0].at, messages[-1].at)
        talks.append(Talk(row, tuple(messages), tuple(runs)))
    return talks


def _messages(talk_id: str, position: int, turn: _Turn, answer: Answer, run: AttemptRow) -> list[MessageRow]:
    ref = f"{turn.provider}/{turn.model}"
    asked = MessageRow(None, talk_id, position, "user", turn.prompt, at=run.at)
    answered = MessageRow(
        None,
        talk_id,
        position + 1,
        "assistant",
        answer.text,
        thinking=answer.thinking,
        run_id=run.run_id,
        model_ref=ref,
        at=run.at + (run.duration_ms or 0),
        finish_reason="stop",
        cost_nanos=run.cost_nanos,
        grade=run.grade,
        input=run.input,
        output=run.output,
        ttft_ms=run.ttft_ms,
        duration_ms=run.duration_ms,
    )
    return [asked, answered]


async def add_conversations(services: Services, talks: list[Talk]) -> None:
    """Write the conversations."""
    store = Conversations(services.db)
    async with services.db.transaction() as tx:
        for talk in talks:
            await store.create(tx, talk.row)
            for message in talk.messages:
                await store.append(tx, message)


async def add_past(services: Services, now: int) -> None:
    """The limits, and the audit rows of how all this came to be."""
    from services.demo import PROVIDERS, WEEK_MS
    from store.audit import AuditLog, load_key
    from store.budgets import Budgets

    log = AuditLog(services.db, load_key(services.paths.audit_key))
    at = now - WEEK_MS
    async with services.db.transaction() as tx:
        for demo in PROVIDERS:
            at += 7 * clock.MINUTE_MS
            detail: dict[str, object] = {"dialect": "fake", "endpoint": demo.endpoint}
            await log.append(tx, at=at, actor=_WHO, action="provider.add", subject=demo.slug, detail=detail)
            if demo.key is not None:
                key = {"backend": "file", "last4": demo.key[-4:]}
                await log.append(tx, at=at + 900, actor=_WHO, action="key.set", subject=demo.slug, detail=key)
        for scope, period, limit, alert in _LIMITS:
            at += 90_000
            nanos = to_nanos(Decimal(limit))
            await Budgets(services.db).upsert(
                tx, scope=scope, period=period, limit_nanos=nanos, alert=alert, changed_by=_WHO, changed_at=at
            )
            change: dict[str, object] = {
                "before": None,
                "after": {"limit_usd": limit, "alert": alert, "until": None},
            }
            subject = f"{scope} {period}"
            await log.append(
                tx,
                at=at,
                actor=_WHO,
                action="budget.set",
                subject=subject,
                detail=change,
                reason="first setup",
            )
