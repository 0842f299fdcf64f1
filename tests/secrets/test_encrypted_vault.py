# ruff: noqa: ASYNC240
"""The encrypted vault: nothing lost, nothing leaked, nothing half written."""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from catalog.errors import StoreError, UsageError, VaultLockedError
from store.vault.encrypted import EncryptedVault

ROOT = Path(__file__).parents[2]
CANARY = "sk-canary-vault-0123456789abcdef"


def vault_at(path: Path, passphrase: str | None = None) -> EncryptedVault:
    async def ask() -> SecretStr | None:
        return None if passphrase is None else SecretStr(passphrase)

    return EncryptedVault(path, ask)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "vault.bin"


async def filled(path: Path) -> EncryptedVault:
    vault = vault_at(path)
    await vault.init(SecretStr("pass phrase"))
    await vault.set("openai", SecretStr(CANARY))
    return vault


async def test_a_secret_comes_back_in_another_process_with_the_passphrase(path: Path) -> None:
    await filled(path)
    again = vault_at(path, "pass phrase")
    assert (await again.state()).state == "locked"
    found = await again.get("openai")
    assert found is not None
    assert found.get_secret_value() == CANARY
    assert await again.get("other") is None
    assert await again.names() == ("openai",)
    await again.delete("openai")
    await again.delete("openai")
    assert await vault_at(path, "pass phrase").get("openai") is None


async def test_the_file_is_private_and_shows_nothing(path: Path) -> None:
    await filled(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_bytes()
    assert CANARY.encode() not in content
    assert b"openai" not in content
    assert list(path.parent.glob(".*.tmp")) == []


async def test_without_a_passphrase_it_is_locked_and_unchanged(path: Path) -> None:
    await filled(path)
    before = path.read_bytes()
    vault = vault_at(path)
    with pytest.raises(VaultLockedError) as locked:
        await vault.set("openai", SecretStr("sk-other-0123456789"))
    assert "SWITCHROOM_VAULT_KEY_FILE" in (locked.value.hint or "")
    assert path.read_bytes() == before
    assert (await vault.state()).state == "locked"


async def test_a_wrong_passphrase_says_so(path: Path) -> None:
    await filled(path)
    with pytest.raises(VaultLockedError, match="does not open") as wrong:
        await vault_at(path).unlock(SecretStr("another"))
    assert wrong.value.hint
    assert "another" not in str(wrong.value)


async def test_ten_that_want_in_at_once_ask_once(path: Path) -> None:
    await filled(path)
    asked = 0

    async def ask() -> SecretStr | None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return SecretStr("pass phrase")

    vault = EncryptedVault(path, ask)
    found = await asyncio.gather(*(vault.get("openai") for _ in range(10)))
    assert {secret.get_secret_value() for secret in found if secret} == {CANARY}
    assert asked == 1


async def test_one_refusal_is_every_waiters_refusal(path: Path) -> None:
    await filled(path)
    vault = vault_at(path, None)
    outcomes = await asyncio.gather(*(vault.get("openai") for _ in range(5)), return_exceptions=True)
    assert all(isinstance(outcome, VaultLockedError) for outcome in outcomes)


async def test_every_changed_byte_is_noticed(path: Path) -> None:
    await filled(path)
    content = path.read_bytes()
    vault = vault_at(path, "pass phrase")
    for position in range(len(content)):
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        with pytest.raises(StoreError):
            await vault.get("openai")
    for length in (0, 5, 12, 40, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(StoreError):
            await vault.get("openai")
    path.write_bytes(content)
    assert await vault.get("openai")


async def test_forging_the_checksum_too_does_not_help(path: Path) -> None:
    """Also the header is authenticated: an attacker cannot change the cost or the salt unnoticed."""
    vault = await filled(path)
    content = path.read_bytes()[:-32]
    for position in (len(content) - 1, len(content) - 20, content.index(b'"n":') - 3):
        forged = content[:position] + bytes([content[position] ^ 2]) + content[position + 1 :]
        path.write_bytes(forged + hashlib.sha256(forged).digest())
        with pytest.raises((StoreError, VaultLockedError)):
            await vault.get("openai")
    hungry = content.replace(b'"n":1024', b'"n":1<30')
    path.write_bytes(hungry + hashlib.sha256(hungry).digest())
    with pytest.raises(StoreError):
        await vault_at(path).unlock(SecretStr("pass phrase"))


async def test_the_passphrase_can_be_changed(path: Path) -> None:
    vault = await filled(path)
    with pytest.raises(VaultLockedError):
        await vault.change_passphrase(SecretStr("wrong"), SecretStr("new"))
    await vault.change_passphrase(SecretStr("pass phrase"), SecretStr("new"))
    assert await vault.get("openai")
    with pytest.raises(VaultLockedError):
        await vault_at(path, "pass phrase").get("openai")
    assert await vault_at(path, "new").get("openai")


async def test_a_process_that_knew_the_old_passphrase_asks_again(path: Path) -> None:
    first = await filled(path)
    await vault_at(path, "pass phrase").change_passphrase(SecretStr("pass phrase"), SecretStr("new"))
    with pytest.raises(VaultLockedError):
        await first.set("groq", SecretStr(CANARY))
    second = vault_at(path, "new")
    await second.set("groq", SecretStr(CANARY))
    assert await second.names() == ("groq", "openai")


async def test_there_is_one_vault(path: Path) -> None:
    await filled(path)
    before = path.read_bytes()
    with pytest.raises(UsageError):
        await vault_at(path).init(SecretStr("x"))
    assert path.read_bytes() == before
    with pytest.raises(UsageError):
        await vault_at(path.with_name("other.bin")).init(SecretStr(""))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
async def test_wider_permissions_are_refused_with_the_command_that_helps(path: Path, mode: int) -> None:
    vault = await filled(path)
    path.chmod(mode)
    with pytest.raises(VaultLockedError) as refused:
        await vault.get("openai")
    assert refused.value.hint == f"chmod 600 '{path}'"


async def test_a_symbolic_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    vault = await filled(path)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(VaultLockedError, match="symbolic link"):
        await vault.get("openai")


async def test_nothing_shows_the_passphrase_or_the_key(path: Path) -> None:
    vault = await filled(path)
    shown = repr(vault.__dict__) + repr(vault._keys) + str(vault._keys)
    assert "pass phrase" not in shown
    assert CANARY not in shown
    assert vault._keys is not None
    assert repr(vault._keys.box) not in shown
    vault.lock()
    assert vault._keys is None


WRITER = """
import asyncio, sys
from pathlib import Path
from pydantic import SecretStr
from store.vault import format as f
from store.vault.encrypted import EncryptedVault
f._COST = {"n": 2**10, "r": 8, "p": 1}
async def ask(): return SecretStr("pass phrase")
async def main(path, who, count):
    vault = EncryptedVault(Path(path), ask)
    for number in range(int(count)):
        await vault.set(f"{who}-{number}", SecretStr("sk-" + who + "x" * 20000))
        print(number, flush=True)
asyncio.run(main(*sys.argv[1:]))
"""


def writer(path: Path, who: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), who, str(count)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )  # fmt: skip


async def test_two_processes_that_write_at_once_lose_nothing(path: Path) -> None:
    await filled(path)
    both = [writer(path, who, 25) for who in ("a", "b")]
    for process in both:
        await asyncio.to_thread(process.communicate, timeout=60)
        assert process.returncode == 0
    expected = {"openai", *(f"{who}-{number}" for who in "ab" for number in range(25))}
    assert set(await vault_at(path, "pass phrase").names()) == expected


async def test_killed_while_writing_it_is_whole_with_everything_that_was_acknowledged(path: Path) -> None:
    await filled(path)
    acknowledged: set[str] = {"openai"}
    for round_number in range(8):
        process = writer(path, f"r{round_number}", 1000)
        assert process.stdout is not None
        await asyncio.to_thread(process.stdout.readline)
        await asyncio.sleep(0.003 * round_number)  # the moment of death, not a wait for something
        process.send_signal(signal.SIGKILL)
        lines = ["0", *(await asyncio.to_thread(process.communicate))[0].split()]
        acknowledged |= {f"r{round_number}-{number}" for number in lines}
        names = set(await vault_at(path, "pass phrase").names())
        assert acknowledged <= names
        assert len(names - acknowledged) <= round_number + 1, "at most the one in flight of each round"
    vault = vault_at(path, "pass phrase")
    await vault.set("after", SecretStr("sk-after"))
    assert list(path.parent.glob(".*.tmp")) == [], "leftovers are cleared away"


def _hold(path: str, held: object) -> None:
    from store.vault.private_file import exclusive

    with exclusive(Path(path)):
        held.set()  # type: ignore[attr-defined]
        time.sleep(30)


async def test_a_lock_that_stays_taken_is_an_error_not_a_hang(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = await filled(path)
    monkeypatch.setattr("store.vault.private_file.LOCK_SECONDS", 0.2)
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    holder = context.Process(target=_hold, args=(str(path), held))
    holder.start()
    try:
        assert await asyncio.to_thread(held.wait, 20)
        assert await vault.get("openai"), "reading needs no lock"
        with pytest.raises(StoreError, match="locked"):
            await vault.set("x", SecretStr("y"))
    finally:
        holder.kill()
        holder.join()


async def test_deriving_the_key_does_not_hold_up_the_loop(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.vault.format._COST", {"n": 2**16, "r": 8, "p": 2})
    worst, last, going = 0.0, time.perf_counter(), True

    async def tick() -> None:
        nonlocal worst, last
        while going:
            await asyncio.sleep(0.001)
            worst, last = max(worst, time.perf_counter() - last), time.perf_counter()

    ticking = asyncio.create_task(tick())
    before = time.perf_counter()
    await vault_at(path).init(SecretStr("pass phrase"))
    taken, going = time.perf_counter() - before, False
    await ticking
    assert worst < taken / 2
