"""The vendors' official SDKs in an environment of their own: a few lines of Python there, and the JSON they print."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from real_peers import PEERS, absent


def run_sdk(code: str, *words: str) -> object:
    """What `code` prints as its last line, a JSON document. `words` are in `sys.argv[1:]`."""
    python = PEERS / "sdks" / "bin" / "python"
    if not (PEERS / "sdks" / ".ready").exists():
        absent("the official SDKs")
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith(("_API_KEY", "_BASE_URL", "_PROXY", "_proxy", "_HOST"))
    }
    done = subprocess.run(
        [python, "-c", code, *words], capture_output=True, text=True, timeout=60, env=clean, check=False
    )
    if done.returncode:
        pytest.fail(f"the SDK's program failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])
