"""One download as it stands: how far, how fast, how long still, and how it ended."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Literal

from services.clock import now_ms

if TYPE_CHECKING:
    from adapters.abilities import PullProgress
    from catalog.errors import SwitchroomError

_WINDOW = 10.0
"""Seconds that the rate is told from."""
_NEARLY = 0.999
_SAMPLE = 0.1
"""Seconds between two points of it: a fast server reports thousands of times a second."""

PullState = Literal["waiting", "pulling", "reconnecting", "syncing", "done", "stopped", "failed"]


def same_model(one: str, other: str) -> bool:
    """Whether two names stand for one model: `llama3.2` is `llama3.2:latest`."""
    return one == other or f"{one}:latest" == other or one == f"{other}:latest"


class Pull:
    """One download. It goes on until it is done or cancelled, whoever watches."""

    def __init__(self, provider: str, model: str, *, keeps_parts: bool = True) -> None:
        self.provider = provider
        self.model = model
        self.keeps_parts = keeps_parts
        """False: a file that was cut begins anew; only whole ones are kept."""
        self.state: PullState = "waiting"
        self.status = ""
        """The server's own word for what it does."""
        self.completed: int | None = None
        self.total: int | None = None
        self.error: SwitchroomError | None = None
        """Why it failed; while it reconnects, why it has to."""
        self.most = 0
        """The most bytes that were ever there: what comes again after a broken line is no progress."""
        self.started = now_ms()
        self.ended: int | None = None
        self.telling = False
        """An event about it is on its way."""
        self.task: asyncio.Task[None] | None = None
        self._seen: deque[tuple[float, int]] = deque()

    @property
    def over(self) -> bool:
        return self.ended is not None

    @property
    def share(self) -> float | None:
        """How much is there; None until the size is known."""
        return None if not self.total or self.completed is None else min(1.0, self.completed / self.total)

    @property
    def nearly(self) -> bool:
        """All that is large is there: a rate, told from what is left, would mislead."""
        return (self.share or 0) >= _NEARLY

    @property
    def rate(self) -> float | None:
        """Bytes a second, of the last seconds; None until it can be told."""
        if self.state != "pulling" or self.nearly or len(self._seen) < 2:
            return None
        (then, there), (now, here) = self._seen[0], self._seen[-1]
        return (here - there) / (now - then) if now - then >= 0.2 and here > there else None

    @property
    def left_s(self) -> float | None:
        """Seconds until it is there at that rate."""
        rate = self.rate
        if rate is None or self.total is None or self.completed is None:
            return None
        return (self.total - self.completed) / rate

    def take(self, progress: PullProgress) -> bool:
        """Take a report; True where more is there than ever before."""
        self.state, self.error = "pulling", None
        self.status = progress.status
        if progress.completed is None:  # it asks again what there is: what is known stays
            return False
        self.completed, self.total = progress.completed, progress.total
        now = time.monotonic()
        if len(self._seen) > 1 and now - self._seen[-2][0] < _SAMPLE:
            self._seen.pop()
        self._seen.append((now, self.completed))
        while len(self._seen) > 2 and now - self._seen[0][0] > _WINDOW:
            self._seen.popleft()
        grew = self.completed > self.most
        self.most = max(self.most, self.completed)
        return grew

    def lost(self, error: SwitchroomError) -> None:
        """The connection broke; it will be tried again."""
        self.state, self.error = "reconnecting", error
        self._seen.clear()
