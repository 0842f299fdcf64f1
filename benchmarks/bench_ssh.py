"""Bytes to the terminal for what a person does, at 120×40 on the demo's store, and through real ssh with and without -C."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import select
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.bench_start import ROOT

QUIET_S = 0.5
"""So long without a byte, and what a key costs is over."""
KEYS: tuple[tuple[str, bytes], ...] = (
    ("mode Providers, first time", b"2"), ("mode Models, first time", b"3"), ("mode Sync, first time", b"4"),
    ("mode Usage, first time", b"5"), ("mode Audit, first time", b"9"), ("mode Settings, first time", b"0"),
    ("mode Overview again", b"1"), ("mode Models again", b"3"), ("cursor down", b"j"), ("cursor down", b"j"),
    ("page down", b"\x1b[6~"), ("filter opened", b"/"), ("filter key", b"g"), ("filter key", b"p"), ("filter left", b"\x1b"),
    ("help window", b"?"), ("window closed", b"\x1b"), ("nothing for 2 s", b""),
)  # fmt: skip


class Line:
    """A terminal that counts."""

    def __init__(self, command: Sequence[str], home: Path, **variables: str) -> None:
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
            os.chdir(ROOT)
            os.environ.update(
                {
                    **variables,
                    "TERM": "xterm-256color",
                    "COLORTERM": "truecolor",
                    "LANG": "C.UTF-8",
                    "SWITCHROOM_HOME": str(home),
                    "SWITCHROOM_DISCOVERY__AT_START": "off",
                    "SWITCHROOM_SYNC__AT_START": "false",
                }
            )
            os.execvp(command[0], list(command))

    def press(self, data: bytes, quiet: float = QUIET_S, longest: float = 6.0) -> bytes:
        """What comes after these bytes, until it is quiet."""
        if data:
            os.write(self._fd, data)
        came, begin, last = b"", time.monotonic(), 0.0
        while time.monotonic() - begin < longest:
            if select.select([self._fd], [], [], 0.05)[0]:
                with suppress(OSError):
                    came += os.read(self._fd, 1 << 16)
                last = time.monotonic()
            elif time.monotonic() - (last or begin) > quiet:
                break
        return came

    def close(self) -> bytes:
        """Quit; the last that came."""
        left = self.press(b"\x1b", 0.2) + self.press(b"q", 1.0)
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)
        return left


def walk(line: Line) -> None:
    """Each key and what it costs."""
    came = line.press(b"", 1.5, 10.0)
    print(f"{'start, first full screen':<28}{len(came):>8,} bytes")
    for name, data in KEYS:
        came = line.press(data) if data else line.press(b"", 2.0, 2.0)
        sgr = sum(map(len, re.findall(rb"\x1b\[[0-9;]*m", came)))
        moves = sum(map(len, re.findall(rb"\x1b\[[0-9;]*H", came)))
        print(f"{name:<28}{len(came):>8,} bytes   of these colours {sgr:,}, cursor {moves:,}")


@contextmanager
def sshd(folder: Path) -> Iterator[list[str] | None]:
    """The command that logs in over loopback; None where there is no sshd."""
    daemon = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin")
    if daemon is None or shutil.which("ssh") is None:
        yield None
        return
    sys.path.insert(0, str(ROOT / "tests" / "real"))
    from real_ssh import Sshd  # type: ignore[import-not-found]

    server = Sshd(folder)
    try:
        yield shlex.split(server.command)
    finally:
        server.close()


def through_ssh(login: list[str], home: Path, *options: str) -> None:
    """The same keys; ssh itself says how many bytes crossed the wire."""
    program = f"cd {shlex.quote(str(ROOT))} && SWITCHROOM_HOME={shlex.quote(str(home))} SWITCHROOM_DISCOVERY__AT_START=off SWITCHROOM_SYNC__AT_START=false COLORTERM=truecolor LANG=C.UTF-8 {shlex.quote(sys.executable)} -m cli.main"
    words = [word for word in login if word != "LogLevel=ERROR"]
    words = [word for place, word in enumerate(words) if not (word == "-o" and words[place + 1 : place + 2] and "=" not in words[place + 1])]  # fmt: skip
    line = Line([words[0], "-v", *options, *words[1:], program], home)
    line.press(b"", 1.5, 10.0)
    for _, data in KEYS:
        if data:
            line.press(data)
    said = line.close().decode(errors="replace")
    found = re.search(r"Transferred: sent (\d+), received (\d+) bytes", said)
    crossed = f"{int(found.group(2)):,} bytes received" if found else "ssh did not say"
    print(f"all of it through ssh {' '.join(options) or '(plain)':<10} {crossed}")


def main() -> int:
    from services.demo import seed_demo
    from services.paths import under

    folder = Path(tempfile.mkdtemp(prefix="switchroom-bench-"))
    try:
        home = folder / "home"
        asyncio.run(seed_demo(under(home)))
        line = Line([sys.executable, "-m", "cli.main"], home)
        try:
            walk(line)
        finally:
            line.close()
        (folder / "sshd").mkdir()
        with sshd(folder / "sshd") as login:
            if login is None:
                print("no sshd here: the wire itself is not measured")
            else:
                through_ssh(login, home)
                through_ssh(login, home, "-C")
        live(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def live(folder: Path) -> None:
    """The demo with runs arriving: what its charts and lines cost by themselves, with and without low bandwidth."""
    for setting in ("off", "on"):
        line = Line(
            [sys.executable, "-m", "cli.main", "--demo"],
            folder / "unused",
            SWITCHROOM_APPEARANCE__LOW_BANDWIDTH=setting,
        )
        try:
            line.press(b"", 10.0, 8.0)
            for name, key in (("Overview", b"1"), ("Usage", b"5")):
                line.press(key, 10.0, 2.0)
                came = line.press(b"", 30.0, 15.0)
                print(f"live {name}, low bandwidth {setting:<4}{len(came) / 15:>10,.0f} bytes a second")
        finally:
            line.close()


if __name__ == "__main__":
    subprocess.run([sys.executable, "-m", "compileall", "-q", "catalog", "adapters", "store", "services", "cli", "tui"], cwd=ROOT, check=True)  # fmt: skip
    sys.exit(main())
