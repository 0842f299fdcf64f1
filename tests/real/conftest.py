"""Fixtures of the real tests: the servers, and the program run as its own process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aimock_peer import Aimock
from real_peers import ROOT, Done, LlamaFarm, Switchroom, program
from sdk_peer import run_sdk


@pytest.fixture(scope="session")
def llamas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaFarm]:
    farm = LlamaFarm(tmp_path_factory.mktemp("llama"))
    yield farm
    farm.close()


@pytest.fixture(scope="session")
def running_aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aimock]:
    mock = Aimock(tmp_path_factory.mktemp("aimock"))
    yield mock
    mock.close()


@pytest.fixture
def aimock(running_aimock: Aimock) -> Iterator[Aimock]:
    """A mock of many vendors that was not made here; calm again after each test."""
    yield running_aimock
    running_aimock.calm()


@pytest.fixture
def sdk() -> Callable[..., object]:
    """Runs a few lines of Python beside the official SDKs; gives the JSON they print."""
    return run_sdk


@pytest.fixture
def switchroom(home: Path) -> Switchroom:
    """Runs the real program as its own process, as a shell would."""

    def run(*words: str, stdin: str | None = None, environment: dict[str, str] | None = None) -> Done:
        done = subprocess.run(
            [*program(), *words],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "SWITCHROOM_HOME": str(home), **(environment or {})},
            timeout=60,
            check=False,
            **({} if stdin is not None else {"stdin": subprocess.DEVNULL}),
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def vault_key(tmp_path: Path) -> dict[str, str]:
    """A vault passphrase in a file, as a machine without keyring has it."""
    file = tmp_path / "vault.key"
    file.write_text("correct horse battery staple\n")
    file.chmod(0o600)
    return {"SWITCHROOM_VAULT_KEY_FILE": str(file)}
