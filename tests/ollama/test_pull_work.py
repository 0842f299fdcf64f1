"""What is told of downloads: the end of each, once, however often the same name is pulled."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from adapters.abilities import PullProgress
from catalog.errors import SwitchroomError
from services.feed import PullChanged
from services.pulls import Pull
from tui.pull_work import PullWork


class App:
    """What the drawing of downloads asks of the program."""

    def __init__(self) -> None:
        self.pulls: dict[str, Pull] = {}
        self.services = SimpleNamespace(local_models=SimpleNamespace(pulls=self._pulls))
        self.facts = SimpleNamespace(work="")
        self.told: list[str] = []

    def _pulls(self, *, active: bool = False) -> tuple[Pull, ...]:
        return tuple(pull for pull in self.pulls.values() if not (active and pull.over))

    def set_work(self, words: str) -> None:
        self.facts.work = words

    def tell(self, words: str, **_: object) -> None:
        self.told.append(words)

    def tell_error(self, error: SwitchroomError) -> None:
        self.told.append(error.message)


def test_each_end_is_told_once() -> None:
    app: Any = App()
    work = PullWork(app)
    for _ in range(30):
        pull = Pull("box", "x")
        app.pulls["x"] = pull
        work.feed_event(PullChanged("box", "x"))
        assert (app.facts.work, work.active) == ("pulling x", 1)
        pull.state, pull.ended = "stopped", 1
        for _ in range(2):
            work.feed_event(PullChanged("box", "x"))
        assert (app.facts.work, work.active) == ("", 0)
        del pull
    assert len(app.told) == 30


def test_no_rate_is_told_from_the_last_few_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 0.0
    monkeypatch.setattr("services.pulls.time.monotonic", lambda: clock)
    pull = Pull("box", "x")
    for completed in (0, 400_000, 999_500):
        clock += 1
        pull.take(PullProgress("pulling", completed, 1_000_000))
        if completed == 400_000:
            assert (pull.rate, pull.left_s, pull.nearly) == (400_000, 1.5, False)
    assert (pull.rate, pull.left_s, pull.nearly) == (None, None, True)
