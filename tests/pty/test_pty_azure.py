"""Signing in to Azure by raw keys: the code is copied, declined once, asked for again, and the sign-in is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pty_stage import ROOT, go, key, program, walk

for _shared in ("adapters", "azure"):
    sys.path.append(str(Path(__file__).parents[1] / _shared))

from azure_cloud import Cloud  # noqa: E402
from azure_cloud import cloud as loopback  # noqa: E402
from entra_server import USER_CODE  # noqa: E402
from loop_server import in_a_thread  # noqa: E402

STEPS = (
    go("2", on="eu"),
    go("K", "Sign in with Microsoft Entra ID"),
    go("4", "No keyring here"),
    go("2", USER_CODE, "waiting · the code is good for"),
    key("sign_in.copy", "y", "Copied", copied=USER_CODE),
    key("sign_in.address", "u", "/device", copied=r"http://127\.0\.0\.1:\d+/device"),
    go("", "✕ Sign-in declined"),
    key("sign_in.again", "r", "Signed in to eu", "● ok", "sign-in file"),
)


def test_signing_in_by_raw_keys(tmp_path: Path) -> None:
    with in_a_thread(loopback()) as cloud:
        _add(cloud, tmp_path)
        cloud.entra.interval = 1
        cloud.entra.person = ["authorization_pending"] * 2 + ["authorization_declined"]
        quiet = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
        with program("azure", tmp_path, **quiet) as terminal:
            terminal.until("Overview ·")
            walk(terminal, STEPS)


def _add(cloud: Cloud, home: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "cli.main",
        "providers",
        "add",
        "eu",
        "--type",
        "azure",
        "--url",
        cloud.url,
    ]
    subprocess.run(
        [*command, *cloud.sign_in, "--no-test"],
        cwd=ROOT, env={**os.environ, "SWITCHROOM_HOME": str(home)}, check=True, capture_output=True,
    )  # fmt: skip
