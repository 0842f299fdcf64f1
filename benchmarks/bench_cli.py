"""B10: `switchroom --help` and `switchroom providers list --json` against the bare imports they cannot do without."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 25
BAR = 1.5
BARE_HELP = "import click; click.echo('help')"
BARE_QUERY = """
import asyncio, sys
import aiosqlite, click, pydantic
async def main():
    async with aiosqlite.connect(sys.argv[1]) as database:
        async with database.execute("SELECT * FROM providers") as cursor:
            click.echo(repr(await cursor.fetchall()))
asyncio.run(main())
"""
PROGRAM = [sys.executable, "-m", "cli"]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(Path(folder))
        _fill(environment)
        database = str(Path(folder) / "data" / "switchroom.db")
        pairs = [
            ("switchroom --help", [*PROGRAM, "--help"], [sys.executable, "-c", BARE_HELP]),
            (
                "switchroom providers list --json",
                [*PROGRAM, "providers", "list", "--json"],
                [sys.executable, "-c", BARE_QUERY, database],
            ),
        ]
        return max(_report(name, ours, bare, environment) for name, ours, bare in pairs)


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHROOM_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "SWITCHROOM_HOME": str(home)}


def _fill(environment: dict[str, str]) -> None:
    """Ten providers; the first runs also write the byte code."""
    for number in range(10):
        command = [
            *PROGRAM,
            "providers",
            "add",
            f"local-{number}",
            "--url",
            "http://127.0.0.1:9/v1",
            "--no-test",
        ]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def _report(name: str, ours: Sequence[str], bare: Sequence[str], environment: dict[str, str]) -> int:
    """Both measured in turns, so that a busy moment hits both; medians. 1 when the bar is missed."""
    for command in (ours, bare):
        _seconds(command, environment)
    rounds = [(_seconds(ours, environment), _seconds(bare, environment)) for _ in range(ROUNDS)]
    own, limit = median(pair[0] for pair in rounds), median(pair[1] for pair in rounds)
    ratio = own / limit
    verdict = "ok" if ratio <= BAR else "MISSED"
    print(
        f"B10 {name}: {own * 1000:.0f} ms = {ratio:.2f} x the limit {limit * 1000:.0f} ms (bar {BAR} x) {verdict}"
    )
    return int(ratio > BAR)


def _seconds(command: Sequence[str], environment: dict[str, str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


if __name__ == "__main__":
    sys.exit(main())
