"""Keys in a real OS keyring (gnome-keyring in a D-Bus session of its own), by the command line."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from real_peers import ROOT, Done, LlamaFarm, program, tool

pytestmark = pytest.mark.real

KEY = "sk-keyring-canary-0123456789"


def in_keyring_session(script: str, tmp_path: Path, home: Path) -> Done:
    """Run a shell script where an unlocked Secret Service answers."""
    tool("gnome-keyring-daemon")
    session = tmp_path / "session"
    for folder in (session, session / "run"):
        folder.mkdir(mode=0o700)
    environment = {
        **os.environ,
        "HOME": str(session),
        "XDG_RUNTIME_DIR": str(session / "run"),
        "SWITCHROOM_HOME": str(home),
        "SR": " ".join(program()),
    }
    environment.pop("XDG_DATA_HOME", None)
    unlock = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1"
    done = subprocess.run(
        [tool("dbus-run-session"), "--", "bash", "-c", f"{unlock}; {script}"],
        capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def test_a_key_lives_in_the_keyring_and_nowhere_else(llamas: LlamaFarm, tmp_path: Path, home: Path) -> None:
    server = llamas.get("think", "sk-real-canary-0123456789")
    done = in_keyring_session(
        f"printf 'sk-real-canary-0123456789\\n' | $SR providers add think --url {server.url} --key-stdin --json"
        " && $SR chat -m think/tiny-think --json hi && $SR keys status think --json",
        tmp_path,
        home,
    )
    assert done.status == 0, done.err
    decoder = json.JSONDecoder()
    documents, rest = [], done.out.strip()
    while rest:
        document, end = decoder.raw_decode(rest)
        documents.append(document)
        rest = rest[end:].strip()
    assert documents[1]["text"].strip() == "The answer: 42!!"
    assert "keyring" in json.dumps(documents[2])
    for file in home.rglob("*"):
        if file.is_file():
            assert b"canary" not in file.read_bytes(), file


def test_without_a_keyring_and_a_passphrase_nothing_is_stored(
    llamas: LlamaFarm, tmp_path: Path, home: Path
) -> None:
    server = llamas.get("think", "sk-real-canary-0123456789")
    environment = {k: v for k, v in os.environ.items() if k != "DBUS_SESSION_BUS_ADDRESS"}
    done = subprocess.run(
        [*program(), "providers", "add", "think", "--url", server.url, "--key-stdin", "--json"],
        input="sk-real-canary-0123456789\n", capture_output=True, text=True, cwd=ROOT,
        env={**environment, "SWITCHROOM_HOME": str(home)}, timeout=60, check=False, start_new_session=True,
    )  # fmt: skip
    assert done.returncode == 7
    assert json.loads(done.stdout)["error"]["code"] == "vault_locked"
    listed = subprocess.run(
        [*program(), "providers", "list", "--json"], capture_output=True, text=True, cwd=ROOT,
        env={**environment, "SWITCHROOM_HOME": str(home)}, timeout=60, check=True,
    )  # fmt: skip
    assert json.loads(listed.stdout)["providers"] == []
