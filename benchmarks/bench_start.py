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
PEERS = {
    "elia": (b"History", b"Send message"),
    "posting": (b"Jump",),
    "parllama": (b"Change Theme",),
    "oterm": (b"@",),
}
"""What stands on the first full frame of each (oterm: of its splash). `make bench` installs them; an absent one is left out."""
FILLED = (b"provider-9", b"complete", b"month")
"""Overview with its numbers: the last provider, a recent run, the spend."""
BAR_PEER, BAR_MINIMAL, BAR_MIB, BAR_CPU = 0.55, 1.90, 60.0, 0.3
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


def start(
    command: list[str], words: tuple[bytes, ...], environment: dict[str, str], idle: float = 0.0
) -> Start | None:
    """Run the command in a pty until the words are on the wire; then watch it do nothing for `idle` seconds.

    None where they never come: a peer that does not run here is left out.
    """
    begin = time.perf_counter()
    pid, descriptor = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 1200, 800))
        os.chdir(ROOT)
        terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        os.execvpe(command[0], command, {**os.environ, **environment, **terminal})
    process = psutil.Process(pid)
    try:
        reached = until(descriptor, words, begin)
        if not reached:
            return None
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


def until(descriptor: int, words: tuple[bytes, ...], begin: float) -> float:
    """Seconds since `begin` when all the words had been written; 0 when they never were."""
    seen, missing = bytearray(), set(words)
    while time.perf_counter() - begin < 30:
        if select.select([descriptor], [], [], 0.01)[0]:
            try:
                seen += os.read(descriptor, 1 << 16)
            except OSError:
                break
            missing = {word for word in missing if word not in seen}
            if not missing:
                return time.perf_counter() - begin
    return 0.0


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


def rounds(home: Path, environment: dict[str, str]) -> dict[str, list[Start]]:
    """Everybody in turn, so that what loads the machine loads all of them."""
    folders = {name: str(home / "peers") for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}  # fmt: skip
    got: dict[str, list[Start]] = {"minimal": [], "switchroom": [], **{name: [] for name in PEERS}}
    gone: set[str] = set()
    for number in range(ROUNDS + 1):  # the first of each warms it up
        commands: dict[str, tuple[list[str], tuple[bytes, ...], dict[str, str]]] = {
            "minimal": ([sys.executable, "-c", MINIMAL], (b"minimal-first-frame",), environment),
            "switchroom": ([sys.executable, "-m", "cli.main"], FILLED, environment),
        }
        for name, words in PEERS.items():
            program = ROOT / ".venv-bench" / name / "bin" / name
            if program.exists() and name not in gone and (name == "elia" or number < 3):
                commands[name] = ([str(program)], words, folders)
        for name, (command, words, variables) in commands.items():
            one = start(command, words, variables)
            if one is None and name in PEERS:
                print(f"   {name} does not show its screen here: left out")
                gone.add(name)
            elif one is None:
                raise SystemExit(f"{name} never showed {words}")
            elif number:
                got[name].append(one)
    return got


def median(starts: list[Start]) -> float:
    return sorted(one.seconds for one in starts)[len(starts) // 2]


def report(got: dict[str, list[Start]], rows: int) -> None:
    """The figures, each with its ratios and its bar."""
    best, base = median(got["switchroom"]), median(got["minimal"])
    peak = max(one.peak_mib for one in got["switchroom"])
    floor = max(one.peak_mib for one in got["minimal"])
    met = "met" if best / base <= BAR_MINIMAL else "MISSED"
    print(f"B1 start      {best * 1e3:6.0f} ms   minimal Textual {base * 1e3:.0f} ms   ratio {best / base:.2f}   bar ≤ {BAR_MINIMAL:.2f}   {met}   ({rows:,} ledger rows)")  # fmt: skip
    for name in PEERS:
        if got[name]:
            ratio = best / median(got[name])
            bar = (
                f"   bar ≤ {BAR_PEER}   {'met' if ratio <= BAR_PEER else 'MISSED'}" if name == "elia" else ""
            )
            print(f"   {name:<10} {median(got[name]) * 1e3:6.0f} ms   ours is {ratio:.2f} of it{bar}")
    print(f"B2 memory     {peak:6.1f} MiB  minimal Textual {floor:.1f} MiB   ratio {peak / floor:.2f}   bar ≤ {BAR_MIB:.0f} MiB   {'met' if peak <= BAR_MIB else 'MISSED'}")  # fmt: skip
    for name in PEERS:
        if got[name]:
            theirs = max(one.peak_mib for one in got[name])
            print(f"   {name:<10} {theirs:6.1f} MiB  ours is {peak / theirs:.2f} of it")


def idle(home: Path, environment: dict[str, str]) -> None:
    """B3: nothing happens for ten seconds; the daily look for newer facts, begun soon after a start, is left out."""
    environment = environment | {"SWITCHROOM_CATALOG__REFRESH": "off"}
    folders = {name: str(home / "peers") for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}  # fmt: skip
    one = start([sys.executable, "-m", "cli.main"], FILLED, environment, idle=10.0)
    assert one is not None
    met = one.idle_bytes_per_s == 0 and one.idle_cpu_percent <= BAR_CPU
    print(f"B3 idle       {one.idle_bytes_per_s:6.1f} B/s  CPU {one.idle_cpu_percent:.2f} %   bar 0 B/s, ≤ {BAR_CPU} %   {'met' if met else 'MISSED'}")  # fmt: skip
    for name, words in PEERS.items():
        program = ROOT / ".venv-bench" / name / "bin" / name
        theirs = start([str(program)], words, folders, idle=5.0) if program.exists() else None
        if theirs is not None:
            print(f"   {name:<10} {theirs.idle_bytes_per_s:6.0f} B/s  CPU {theirs.idle_cpu_percent:.1f} %")


def main() -> None:
    rows = int(os.environ.get("BENCH_ROWS", "1000000"))
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", "catalog", "adapters", "store", "services", "cli", "tui"],
        cwd=ROOT,
        check=True,
    )
    home = Path(tempfile.mkdtemp(prefix="switchroom-bench-"))
    try:
        (home / "peers").mkdir()
        asyncio.run(fill(home, rows))
        environment = {
            "SWITCHROOM_HOME": str(home),
            "SWITCHROOM_DISCOVERY__AT_START": "off",
            "SWITCHROOM_SYNC__AT_START": "false",
        }
        report(rounds(home, environment), rows)
        idle(home, environment)
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
