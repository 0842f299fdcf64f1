"""Whether and when a failed attempt is tried again (DESIGN section 5; WIRE section 14)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from adapters.errors import ProviderError
from catalog.errors import SwitchroomError
from services.settings_model import Retry

HEADLESS_WAIT_S = 30.0
"""All waiting of one run together, where nobody watches and nobody said otherwise."""


class DeadlineError(SwitchroomError):
    """The run's own time limit ended it: no fault of the provider."""

    code = "timeout"
    default_title = "Out of time"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and how long in between."""

    attempts: int
    """The first included."""
    initial: float
    factor: float
    maximum: float
    """Seconds; a vendor's own wish may be longer."""
    jitter: float
    """Share of a wait that is left to chance."""
    wait_limit: float | None
    """Seconds of waiting in all; None: no limit."""

    def delay(self, failed: int, error: ProviderError, chance: float) -> float:
        """Seconds before the next attempt, after `failed` attempts; `chance` is in 0…1."""
        if error.retry_after_ms is not None:
            return max(0.0, error.retry_after_ms / 1000)
        wait = min(self.maximum, self.initial * self.factor ** (failed - 1))
        return wait * (1 - self.jitter * chance)


def policy_for(
    settings: Retry,
    *,
    provider_retries: int | None,
    retries: int | None,
    timeout_s: float | None,
    headless: bool,
) -> RetryPolicy:
    """The policy of one run: its own wish, else the provider's, else the setting."""
    chosen = retries if retries is not None else provider_retries
    limited = headless and retries is None and timeout_s is None
    return RetryPolicy(
        attempts=settings.attempts if chosen is None else max(0, chosen) + 1,
        initial=settings.initial_delay,
        factor=settings.factor,
        maximum=settings.max_delay,
        jitter=settings.jitter,
        wait_limit=HEADLESS_WAIT_S if limited else None,
    )


class Patience:
    """Counts the attempts and the waiting of one run."""

    def __init__(self, policy: RetryPolicy, chance: Callable[[], float]) -> None:
        self._policy = policy
        self._chance = chance
        self._failed = 0
        self._waited = 0.0

    def next_delay(self, error: ProviderError) -> float | None:
        """Seconds to wait before the next attempt; None when there is none."""
        self._failed += 1
        if not error.retryable or self._failed >= self._policy.attempts:
            return None
        delay = self._policy.delay(self._failed, error, self._chance())
        limit = self._policy.wait_limit
        if limit is not None and self._waited + delay > limit:
            return None
        self._waited += delay
        return delay
