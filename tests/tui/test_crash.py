"""A crash shows and keeps no key: not on the screen, not in the report, and the exit status is 1."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.redact import remember_secret
from tui import crash
from tui.app import SwitchroomApp

CANARY = "sk-canary-in-a-local-0123456789abcdef"
ODD_CANARY = "hunter2-is-no-key-shape"
ROOT = Path(__file__).resolve().parents[2]

_PROGRAM = f"""
import asyncio, sys
from services.paths import resolve
from tui.app import SwitchroomApp
from tui.screens.providers import ProvidersScreen
from tui.start import _run

def boom(self):
    headers = {{"x-api-key": "{CANARY}"}}
    password = "{ODD_CANARY}"
    raise RuntimeError("the URL was https://h/?key={CANARY} " + str(len(headers) + len(password)))

ProvidersScreen.action_add = boom
sys.exit(asyncio.run(_run(SwitchroomApp(resolve()))))
"""


def test_a_real_crash_in_a_terminal_leaks_nothing_and_gives_the_terminal_back(home: Path) -> None:
    script = home / "crash_me.py"
    script.write_text(_PROGRAM)
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(script)], cwd=ROOT, stdin=follower, stdout=follower, stderr=follower,
        env={**os.environ, "SWITCHROOM_HOME": str(home), "PYTHONPATH": str(ROOT)}, start_new_session=True,
    )  # fmt: skip
    os.close(follower)
    output, waiting = b"", [(b"today", b"2"), (b"No providers yet", b"a")]
    while True:
        if not select.select([leader], [], [], 20)[0]:
            process.kill()
            pytest.fail(f"nothing happened: {output[-2000:]!r}")
        try:
            data = os.read(leader, 65536)
        except OSError:
            break
        if not data:
            break
        output += data
        if waiting and waiting[0][0] in output:
            os.write(leader, waiting.pop(0)[1])
    os.close(leader)
    assert process.wait(10) == 1
    assert b"Switchroom stopped because of an error of its own" in output
    assert b"\x1b[?1049l" in output, "the terminal was not given back"
    reports = list((home / "logs").glob("crash-*.txt"))
    assert len(reports) == 1
    assert stat.S_IMODE(reports[0].stat().st_mode) == 0o600
    written = b"".join(path.read_bytes() for path in (home / "logs").iterdir())
    assert b"RuntimeError" in written
    assert b"in boom" in written
    for secret in (CANARY.encode(), ODD_CANARY.encode()):
        assert secret not in output
        assert secret not in written


def test_a_known_secret_in_the_message_is_masked() -> None:
    remember_secret(ODD_CANARY)
    error = ValueError(f"bad password {ODD_CANARY}")
    assert ODD_CANARY not in crash.report(error)
    assert ODD_CANARY not in crash.screen_text(error, None)


async def test_a_failed_worker_is_named_by_what_really_happened(app: SwitchroomApp, paths: object) -> None:
    async def work() -> None:
        raise LookupError("the inner reason")

    with pytest.raises(Exception, match="inner reason"):  # noqa: PT012
        async with app.run_test() as pilot:
            app.run_worker(work(), exit_on_error=True)
            for _ in range(100):
                await pilot.pause()
                await asyncio.sleep(0.01)
    report = next(app._logs().glob("crash-*.txt")).read_text()
    assert "LookupError: the inner reason" in report
