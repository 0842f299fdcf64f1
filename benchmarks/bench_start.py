"""B1 start, B2 memory, B3 idle: the program in a real pty on a store with 10 providers, 1,000 models and 1 M ledger rows.

The limit is stated against a minimal Textual program measured in the same run. `BENCH_ROWS` changes the ledger's size.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import bench_store
from store.db import Database
from store.models import ModelRow, Models
from store.providers import ProviderRow, Providers

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 7
ELIA = ROOT / ".venv-bench" / "bin" / "elia"
"""The best peer; `make bench` installs it. Absent: the comparison is left out."""
MINIMAL = """
from textual.app import App
from textual.widgets import Static
class Minimal(App):
    def compose(self):
        yield Static("minimal-first-frame")
Minimal().run()
"""


@dataclass(frozen=True)
class Start:
    """One start: seconds to the frame that shows the word, peak memory in MiB, and the idle second after it."""

    seconds: float
    peak_mib: float
    idle_bytes_per_s: float
    idle_cpu_percent: float


def start(command: list[str], word: bytes, environment: dict[str, str], idle: float = 0.0) -> Start:
    """Run the command in a pty until the word is on the wire; then watch it do nothing for `idle` seconds."""
    begin = time.perf_counter()
    pid, descriptor = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execvpe(
            command[0],
            command,
            {**os.environ, **environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        )
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    seen = bytearray()
    reached = 0.0
    process = psutil.Process(pid)
    try:
        while time.perf_counter() - begin < 30 and not reached:
            if select.select([descriptor], [], [], 0.01)[0]:
                seen += os.read(descriptor, 1 << 16)
                if word in seen:
                    reached = time.perf_counter() - begin
        if not reached:
            raise SystemExit(f"never showed {word!r}: {bytes(seen[-2000:])!r}")
        status = Path(f"/proc/{pid}/status").read_text()
        peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
        drain(descriptor, 2.0 if idle else 0.2)
        used = process.cpu_times()
        written = drain(descriptor, idle) if idle else 0
        after = process.cpu_times()
        cpu = (after.user + after.system - used.user - used.system) / idle * 100 if idle else 0.0
        return Start(reached, peak, written / idle if idle else 0.0, cpu)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(descriptor)


def drain(descriptor: int, seconds: float) -> int:
    """Read whatever comes for so long; how many bytes it was."""
    end = time.perf_counter() + seconds
    count = 0
    while (left := end - time.perf_counter()) > 0:
        if select.select([descriptor], [], [], left)[0]:
            count += len(os.read(descriptor, 1 << 16))
    return count


async def fill(home: Path, rows: int) -> None:
    """A store as a heavy user has it: a year of runs up to now."""
    now = int(time.time() * 1000)
    bench_store.NOW = now
    (home / "data").mkdir(mode=0o700)
    path = home / "data" / "switchroom.db"
    bench_store.fill(path, rows)
    db = await Database.open(path)
    providers, models = Providers(db), Models(db)
    async with db.transaction() as tx:
        for number in range(10):
            slug = f"provider-{number}"
            address = f"https://{slug}.example/v1"
            await providers.insert(
                tx, ProviderRow(slug, slug, "openai", address, now, now, state="ok", auto_sync="off")
            )
            ids = [f"model-{n}" for n in range(number, 1000, 10)]
            await models.replace_live(tx, slug, [ModelRow(slug, name) for name in ids], at=now)
    await db.aclose()


def main() -> None:
    rows = int(os.environ.get("BENCH_ROWS", "1000000"))
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", "catalog", "adapters", "store", "services", "cli", "tui"],
        cwd=ROOT,
        check=True,
    )
    home = Path(tempfile.mkdtemp(prefix="switchroom-bench-"))
    try:
        asyncio.run(fill(home, rows))
        environment = {
            "SWITCHROOM_HOME": str(home),
            "SWITCHROOM_DISCOVERY__AT_START": "off",
            "SWITCHROOM_SYNC__AT_START": "false",
        }
        ours, minimal, elia = [], [], []
        for _ in range(ROUNDS):
            minimal.append(start([sys.executable, "-c", MINIMAL], b"minimal-first-frame", environment))
            ours.append(start([sys.executable, "-m", "cli.main"], b"provider-9", environment))
            if ELIA.exists():
                folders = {"XDG_DATA_HOME": str(home / "elia"), "XDG_CONFIG_HOME": str(home / "elia")}
                elia.append(start([str(ELIA)], b"History", folders))
        idle = start([sys.executable, "-m", "cli.main"], b"provider-9", environment, idle=10.0)
        best = sorted(s.seconds for s in ours)[ROUNDS // 2]
        base = sorted(s.seconds for s in minimal)[ROUNDS // 2]
        print(
            f"B1 start      {best * 1e3:6.0f} ms   minimal Textual {base * 1e3:.0f} ms   ratio {best / base:.2f}   bar ≤ 1.90   ({rows:,} ledger rows)"
        )
        if elia:
            peer = sorted(s.seconds for s in elia[1:])[len(elia) // 2]
            print(f"   elia       {peer * 1e3:6.0f} ms   ours is {best / peer:.2f} of it   bar ≤ 0.55")
        print(
            f"B2 memory     {max(s.peak_mib for s in ours):6.1f} MiB  minimal Textual {max(s.peak_mib for s in minimal):.1f} MiB   bar ≤ 60 MiB"
        )
        print(
            f"B3 idle       {idle.idle_bytes_per_s:6.1f} B/s  CPU {idle.idle_cpu_percent:.2f} %   bar 0 B/s, ≤ 0.3 %"
        )
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
