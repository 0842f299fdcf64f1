"""The command line as a user has it: in this process for the many small cases, as a real program for the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from cli_harness import Done, Wire, WireServer, in_process


@pytest.fixture
def wire() -> Iterator[Wire]:
    """The server, up for one test."""
    wire = Wire()
    server = WireServer(wire)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield wire
    server.shutdown()
    server.server_close()
    thread.join()


Cli = Callable[..., Done]


@pytest.fixture
def cli(home: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command line in this process, with bytes on standard input and nothing that is a terminal."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")

    return partial(in_process, monkeypatch)


@pytest.fixture
def vault_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A passphrase file, so that the encrypted vault opens by itself."""
    file = tmp_path / "vault.key"
    file.write_text("correct horse battery staple\n")
    file.chmod(0o600)
    monkeypatch.setenv("SWITCHROOM_VAULT_KEY_FILE", str(file))
    return file
