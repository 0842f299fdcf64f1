"""What `GET /key` says of a key, in one sentence; a key that cannot chat is an error with its reason."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from adapters.counts import count, mapping, money
from adapters.errors import InvalidCredentialsError, NoCreditError, PermissionDeniedError, stranger
from catalog.plaintext import one_line


def key_words(answer: object, slug: str, *, now: datetime | None = None) -> str:
    """“The key is accepted: $12.40 of $50 left, resets monthly.” Raises what keeps it from chatting."""
    said = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(said, dict):
        raise stranger(slug, 200, "as OpenRouter does")
    expires = _moment(said.get("expires_at"))
    if expires is not None and expires <= (now or datetime.now(UTC)):
        raise InvalidCredentialsError(
            f"The key of {slug} expired on {expires.date().isoformat()}.",
            hint=f"Enter a new key for {slug}.",
            provider=slug,
            status=200,
        )
    if said.get("disabled") is True:
        raise InvalidCredentialsError(
            f"The key of {slug} is switched off.",
            hint="Switch it on at openrouter.ai/settings/keys, or enter another.",
            provider=slug,
            status=200,
        )
    if said.get("is_management_key") is True or said.get("is_provisioning_key") is True:
        raise PermissionDeniedError(
            f"The key of {slug} is a management key: it counts, but cannot chat.",
            hint=f"Keep it with: switchroom keys set {slug} --role admin",
            provider=slug,
            status=200,
        )
    limit, left = money(said.get("limit")), _left(said)
    if limit is not None and left is not None and left <= 0:
        raise NoCreditError(
            f"The limit of the key is used up: {_usd(limit)}{_reset(said)}.",
            hint="Raise it at openrouter.ai/settings/keys, or use another key.",
            provider=slug,
            status=200,
        )
    parts = [_money_words(said, limit, left)]
    free = mapping(said, "free_model_daily_requests")
    if (most := count(free, "limit")) is not None and (rest := count(free, "remaining")) is not None:
        parts.append(f"{rest:,} of {most:,} free requests left today")
    if said.get("is_free_tier") is True:
        parts.append("no credit was ever bought")
    if expires is not None:
        parts.append(f"expires {expires.date().isoformat()}")
    named = (
        one_line(label, 40)
        if isinstance(label := said.get("label"), str) and not label.startswith("sk-")
        else ""
    )
    return f"The key{f' “{named}”' if named else ''} is accepted: {', '.join(parts)}."


def _money_words(said: dict[str, object], limit: Decimal | None, left: Decimal | None) -> str:
    if limit is not None and left is not None:
        return f"{_usd(left)} of {_usd(limit)} left{_reset(said)}"
    used = money(said.get("usage_monthly"))
    return "no limit of its own" + (f", {_usd(used)} used this month" if used is not None else "")


def _left(said: dict[str, object]) -> Decimal | None:
    """What is left; a limit that was overrun has nothing left."""
    value = said.get("limit_remaining")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value < 0:
        return Decimal(0)
    return money(value)


def _reset(said: dict[str, object]) -> str:
    word = said.get("limit_reset")
    return f", resets {one_line(word, 20)}" if isinstance(word, str) and word.strip() else ""


def _usd(amount: Decimal) -> str:
    return f"${amount:,.0f}" if amount == amount.to_integral_value() else f"${amount:,.2f}"


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        then = datetime.fromisoformat(value)
    except ValueError:
        return None
    return then if then.tzinfo else then.replace(tzinfo=UTC)
