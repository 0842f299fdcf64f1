"""The program under measurement by bench_chart: the real app with one chart on it, whose last bar grows."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from textual.app import ComposeResult
from textual.screen import Screen

from services.paths import under
from tui.app import SwitchroomApp
from tui.widgets.chart import Chart, ChartData, Series

HOUR = 3_600_000
BARS, SERIES = 24, 4
WARM_S = 1.5
MARK = "\x1b]7777;chart\x1b\\"
"""A sequence that no terminal draws and nothing else writes."""


def data(step: int) -> ChartData:
    """Four providers over 24 hours; from step to step the last hour costs a little more."""
    starts = tuple(1_763_600_400_000 + hour * HOUR for hour in range(BARS))
    series = []
    for number in range(SERIES):
        values = [0.2 + ((hour * 7 + number * 5) % 11) / 10 for hour in range(BARS)]
        values[-1] = 0.1 * number + 0.013 * ((step * (number + 3)) % 60)
        series.append(
            Series(f"provider-{number}", f"provider-{number}", tuple(values), f"${sum(values):.2f}")
        )
    return ChartData(starts, starts[-1] + HOUR, tuple(series), "usd")


class Bare(Screen[None]):
    """Nothing but the chart."""

    CSS = "Chart { width: 100; height: 20; }"

    def compose(self) -> ComposeResult:
        yield Chart()


async def run(hertz: float, updates: int, lines: bool, report: Path) -> None:
    """Draw, wait, change the last bar so often at this rate, write the figures."""
    kind = "lines" if lines else "bars"

    def mark() -> None:
        """Bytes count from the first of these to the second."""
        assert app._driver is not None
        app._driver.write(MARK)

    async def drive() -> None:
        await app.push_screen(Bare())
        chart = app.screen.query_one(Chart)
        chart.show(replace(data(0), kind=kind))  # type: ignore[arg-type]
        await asyncio.sleep(WARM_S)
        began, cpu = time.monotonic(), time.process_time()
        mark()
        for step in range(1, updates + 1):
            chart.show(replace(data(step), kind=kind))  # type: ignore[arg-type]
            await asyncio.sleep(max(0.0, began + step / hertz - time.monotonic()))
        used = (time.process_time() - cpu) / (time.monotonic() - began)
        mark()
        await asyncio.to_thread(report.write_text, json.dumps({"cpu": used}))
        await asyncio.sleep(0.3)
        app.exit(0)

    class Driven(SwitchroomApp):
        CSS_PATH = str(Path(__file__).parent.parent / "tui" / "app.tcss")

        def on_ready(self) -> None:
            self.run_worker(drive())

    app = Driven(under(Path(tempfile.mkdtemp())))
    await app.run_async()
    await app.close_services()


if __name__ == "__main__":
    asyncio.run(run(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "lines", Path(sys.argv[4])))
