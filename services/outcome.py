"""How the attempts of a run become the one result that is shown."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from catalog.usage import Usage
from services.attempt import Attempt, Bill
from services.run_events import RunResult
from services.settlement import milliseconds, total


def outcome(
    run_id: str,
    ref: str,
    settled: Sequence[tuple[Attempt, Bill]],
    *,
    cancelled: bool,
    note: str | None,
) -> RunResult:
    """The result of a run that was sent."""
    first = settled[0][0]
    last, last_bill = settled[-1]
    cost, grade = total([bill for _, bill in settled])
    return RunResult(
        run_id=run_id,
        model=ref,
        text="".join(last.text),
        thinking="".join(last.thinking) or None,
        tool_calls=last.tool_calls,
        keepsake=last.keepsake,
        state="cancelled" if cancelled else last.state or "failed",
        finish_reason=last.finish_reason,
        usage=last_bill.usage,
        cost=cost,
        grade=grade,
        ttft_ms=milliseconds(last.started, last.first),
        duration_ms=milliseconds(first.started, last.ended) or 0,
        answer_ms=milliseconds(last.started, last.ended),
        attempts=tuple(attempt.view(ref) for attempt, _ in settled),
        error=last.error,
        note=note,
        told=last.told,
        speed=last.speed,
    )


def unsent(run_id: str, ref: str, *, own: bool, duration_ms: int) -> RunResult:
    """The result of a run that was cancelled before anything was sent: it cost nothing."""
    return RunResult(
        run_id=run_id,
        model=ref,
        text="",
        thinking=None,
        tool_calls=(),
        state="cancelled",
        finish_reason=None,
        usage=Usage(),
        cost=None if own else Decimal(0),
        grade="own" if own else "computed",
        ttft_ms=None,
        duration_ms=duration_ms,
        attempts=(),
    )
