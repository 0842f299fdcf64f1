"""What a stranger sees first: the names of the modes, what was spent, and what an update under the program does."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tui_stage import opened, screen_text, until

from services.paths import Paths
from tui.app import SwitchroomApp
from tui.messages import StatusFacts
from tui.widgets.status import segments


async def test_the_modes_keep_their_names_at_80_columns(app: SwitchroomApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        line = " ".join(screen_text(app).splitlines()[1].split())
        assert line == "1 Overview 2 Providers 3 Models 4 Sync 5 Usage 6 Chat 9 Audit 0 Settings"
        await pilot.resize_terminal(78, 24)
        await until(pilot, "Overview", gone=True)
        assert " ".join(screen_text(app).splitlines()[1].split()) == "1 2 Providers 3 4 5 6 9 0"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (StatusFacts(), []),
        (StatusFacts(asked=True), ["today —", "month —"]),
        (StatusFacts(asked=True, today=Decimal(0), month=Decimal("1.5"), day_limit=Decimal(5)),
         ["today $0.00 / $5.00", "month $1.50"]),
    ],
)  # fmt: skip
def test_spend_that_nobody_knows_is_a_dash(facts: StatusFacts, words: list[str]) -> None:
    assert [text for text, _ in segments("Overview", facts)][1:] == words


async def test_a_part_that_was_replaced_is_told_and_the_program_goes_on(app: SwitchroomApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)

        async def gone() -> None:
            raise ImportError("cannot import name 'PairPage'")

        app.do(gone())
        await pilot.pause()
        assert app.is_running
        assert "updated while it ran" in app.notices[-1].hint


async def test_a_crash_of_the_demo_leaves_nothing_in_the_users_folders(paths: Paths) -> None:
    app = SwitchroomApp(demo=True)
    logs = app._logs()
    logs.rmdir()  # it is there and empty, and it is the program's own
    assert paths.home not in logs.parents
    assert logs.name.startswith("switchroom-crash-")
