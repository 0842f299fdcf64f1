# ruff: noqa: ASYNC240
"""The OS keyring, credential files and the environment, each on its own."""

from __future__ import annotations

import asyncio
import json
import shutil
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import keyring.core
import pytest
from keyring.backends import null
from keyring.errors import InitError, KeyringLocked, NoKeyringError
from memory_keyring import MemoryKeyring
from pydantic import SecretStr

from catalog.errors import StoreError, UsageError, VaultLockedError
from store.vault.env import EnvBackend
from store.vault.files import FileBackend
from store.vault.keyring_backend import OsKeyring

ROOT = Path(__file__).parents[2]
CANARY = "sk-canary-backend-0123456789abcdef"


async def test_a_keyring_keeps_and_forgets(os_keyring: MemoryKeyring) -> None:
    backend = OsKeyring("switchroom")
    assert (await backend.state()).state == "ready"
    assert await backend.get("openai") is None
    await backend.set("openai", SecretStr(CANARY))
    found = await backend.get("openai")
    assert found is not None
    assert found.get_secret_value() == CANARY
    assert os_keyring.kept == {("switchroom", "openai"): CANARY}
    await backend.delete("openai")
    await backend.delete("openai")
    assert os_keyring.kept == {}


async def test_no_keyring_is_a_state_with_a_message() -> None:
    found = await OsKeyring("switchroom").state()
    assert found.state == "absent"
    assert "No OS keyring" in found.message
    with pytest.raises(VaultLockedError) as refused:
        await OsKeyring("switchroom").set("openai", SecretStr(CANARY))
    assert "vault" in (refused.value.hint or "")


async def test_a_keyring_that_keeps_nothing_or_in_the_clear_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain(MemoryKeyring):
        priority = 0.5  # type: ignore[assignment]

    for stand_in in (null.Keyring(), Plain()):
        monkeypatch.setattr(keyring.core, "_keyring_backend", stand_in)
        assert (await OsKeyring("switchroom").state()).state == "absent"


@pytest.mark.parametrize(
    ("failure", "state"),
    [(KeyringLocked(CANARY), "locked"), (InitError(CANARY), "locked"), (NoKeyringError(), "absent"), (OSError(CANARY), "locked")],
)  # fmt: skip
async def test_a_keyring_that_refuses_is_named_without_its_own_words(
    os_keyring: MemoryKeyring, failure: Exception, state: str
) -> None:
    os_keyring.failure = failure
    backend = OsKeyring("switchroom")
    found = await backend.state()
    assert found.state == state
    assert CANARY not in found.message
    with pytest.raises(VaultLockedError) as refused:
        await backend.get("openai")
    assert CANARY not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


async def test_a_session_bus_that_hangs_holds_nobody_up(os_keyring: MemoryKeyring) -> None:
    os_keyring.hang = threading.Event()
    backend = OsKeyring("switchroom", probe_seconds=0.1, call_seconds=0.1)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    before = time.perf_counter()
    assert (await backend.state()).state == "unknown"
    with pytest.raises(VaultLockedError, match="does not answer"):
        await backend.get("openai")
    assert time.perf_counter() - before < 3
    assert ticks > 5
    ticking.cancel()
    os_keyring.hang.set()


def test_a_hung_keyring_does_not_keep_the_program_from_ending() -> None:
    code = """
import asyncio, keyring.core, threading
from keyring.backends import fail
class Hung(fail.Keyring):
    pass
def hang(*a, **k): threading.Event().wait()
keyring.core.get_keyring = hang
import keyring; keyring.get_keyring = hang
from store.vault.keyring_backend import OsKeyring
print(asyncio.run(OsKeyring("s", probe_seconds=0.1).state()).state)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout.strip() == "unknown"


def test_nothing_of_the_keyring_is_imported_before_it_is_used() -> None:
    code = "import sys, services.credentials; print(sorted({'keyring', 'cryptography', 'dotenv', 'httpx'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.real
def test_a_real_secret_service_keeps_a_key(tmp_path: Path) -> None:
    """gnome-keyring in a session of its own: open, then locked."""
    for name in ("dbus-run-session", "gnome-keyring-daemon"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
    code = """
import asyncio
from pydantic import SecretStr
from store.vault.keyring_backend import OsKeyring
async def main():
    backend = OsKeyring("switchroom-test")
    print((await backend.state()).state)
    await backend.set("openai!X-Zażółć"[:7], SecretStr("sk-real-🙂"))
    print((await backend.get("openai!")).get_secret_value() == "sk-real-🙂", await backend.get("nope"))
    await backend.delete("openai!"); await backend.delete("openai!")
    print(await backend.get("openai!"))
asyncio.run(main())
"""
    unlock = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1"
    (tmp_path / "run").mkdir(mode=0o700)
    done = subprocess.run(
        ["dbus-run-session", "--", "bash", "-c", f'{unlock}; "$@"', "sh", sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")},
    )  # fmt: skip
    assert done.stdout.split("\n")[:3] == ["ready", "True None", "None"], done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "config" / "credentials"


async def test_a_credential_file_is_private_and_as_documented(folder: Path) -> None:
    backend = FileBackend(folder)
    assert await backend.get("openai-prod") is None
    await backend.set("openai-prod", SecretStr(CANARY))
    path = folder / "openai-prod.json"
    assert json.loads(path.read_text()) == {"apiKey": CANARY}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    found = await backend.get("openai-prod")
    assert found is not None
    assert found.get_secret_value() == CANARY
    assert await backend.names() == ("openai-prod",)
    assert (await backend.state()).state == "ready"
    await backend.delete("openai-prod")
    await backend.delete("openai-prod")
    assert await backend.names() == ()


async def test_further_fields_of_a_file_stay(folder: Path) -> None:
    backend = FileBackend(folder)
    await backend.set("a", SecretStr("one-key"))
    path = folder / "a.json"
    path.write_text(json.dumps({"apiKey": "one-key", "additionalAuth": {"org": "x"}}))
    await backend.set("a", SecretStr("two-key"))
    assert json.loads(path.read_text()) == {"apiKey": "two-key", "additionalAuth": {"org": "x"}}


async def test_wider_permissions_are_refused_with_the_chmod_to_run(folder: Path) -> None:
    backend = FileBackend(folder)
    await backend.set("a", SecretStr(CANARY))
    path = folder / "a.json"
    path.chmod(0o644)
    with pytest.raises(VaultLockedError) as refused:
        await backend.get("a")
    assert refused.value.hint == f"chmod 600 '{path}'"
    path.chmod(0o600)
    folder.chmod(0o750)
    for attempt in (backend.get("a"), backend.set("a", SecretStr("other"))):
        with pytest.raises(VaultLockedError) as refused:
            await attempt
        assert refused.value.hint == f"chmod 700 '{folder}'"
    assert "chmod 700" in (await backend.state()).message
    folder.chmod(0o700)
    assert await backend.get("a") == SecretStr(CANARY)


async def test_symbolic_links_and_other_things_are_refused(folder: Path, tmp_path: Path) -> None:
    backend = FileBackend(folder)
    await backend.set("a", SecretStr(CANARY))
    (folder / "a.json").rename(tmp_path / "a.json")
    (folder / "a.json").symlink_to(tmp_path / "a.json")
    with pytest.raises(VaultLockedError, match="symbolic link"):
        await backend.get("a")
    (folder / "b.json").mkdir(mode=0o700)
    with pytest.raises(StoreError):
        await backend.get("b")
    (folder / "c.json").write_text(f'"{CANARY}')
    (folder / "c.json").chmod(0o600)
    with pytest.raises(StoreError) as broken:
        await backend.get("c")
    assert CANARY not in repr(broken.value.as_dict())


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a\x00b", "a\nb", "x" * 300])
async def test_a_name_cannot_leave_the_folder(folder: Path, name: str) -> None:
    with pytest.raises(UsageError):
        await FileBackend(folder).set(name, SecretStr("key"))


async def test_a_variable_is_read_when_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file = tmp_path / ".env"
    backend = EnvBackend(env_file)
    assert await backend.get("MY_KEY") is None
    env_file.write_text("MY_KEY=from-$HOME-file\n")
    assert await backend.get("MY_KEY") == SecretStr("from-$HOME-file")
    monkeypatch.setenv("MY_KEY", "from-process\n")
    assert await backend.get("MY_KEY") == SecretStr("from-process")
    monkeypatch.setenv("MY_KEY", "")
    env_file.unlink()
    assert await backend.get("MY_KEY") is None
    with pytest.raises(UsageError):
        await backend.set("MY_KEY", SecretStr("x"))
