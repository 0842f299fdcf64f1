"""The one door to secrets: which place is used and why, what is refused, and that nothing leaks on the way."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from keyring.errors import KeyringLocked
from memory_keyring import MemoryKeyring
from pydantic import SecretStr

from catalog.errors import MissingKeyError, ReadOnlyError, SwitchroomError, UsageError, VaultLockedError
from catalog.redact import redact
from services.container import Services, open_services
from services.credentials import Credentials
from services.drafts import EnvKey, ProviderDraft
from services.paths import under
from services.settings_model import Security, Settings
from store.providers import ProviderRow, Providers
from store.vault.files import FileBackend

CANARY = "sk-canary-door-0123456789abcdef"
SECRET = SecretStr(CANARY)
Answer = Callable[[str | None], list[str]]


def settings(**security: Any) -> Settings:
    return Settings(security=Security(**security))


async def test_auto_takes_the_keyring_where_one_answers(
    services: Services, os_keyring: MemoryKeyring
) -> None:
    choice = await services.credentials.backend()
    assert (choice.backend, choice.state) == ("keyring", "ready")
    ref = await services.credentials.store("openai", SECRET)
    assert ref == "keyring:openai"
    assert await services.credentials.resolve(ref) == SECRET
    [(service, _)] = os_keyring.kept
    assert str(services.paths.home) in service, "two homes of one user do not share keys"


async def test_auto_takes_the_vault_without_a_keyring_and_says_why(
    services: Services, with_passphrase: Answer
) -> None:
    choice = await services.credentials.backend()
    assert (choice.backend, choice.state) == ("vault", "absent")
    assert "No OS keyring" in choice.message
    asked = with_passphrase("pass phrase")
    ref = await services.credentials.store("openai", SECRET)
    assert ref == "vault:openai"
    assert asked == ["new", "repeat"], "a new vault's passphrase is typed twice"
    assert (await services.credentials.backend()).state == "ready"
    services.credentials.lock()
    assert (await services.credentials.backend()).state == "locked"
    assert await services.credentials.resolve(ref) == SECRET
    assert asked == ["new", "repeat", "unlock"]


async def test_neither_keyring_nor_passphrase_changes_nothing(
    services: Services, with_passphrase: Answer
) -> None:
    with pytest.raises(VaultLockedError):
        await services.credentials.store("openai", SECRET)
    with_passphrase(None)
    with pytest.raises(VaultLockedError):
        await services.credentials.store("openai", SECRET)
    assert not services.paths.vault_file.exists()


async def test_a_slip_in_the_new_passphrase_is_noticed(services: Services) -> None:
    answers = iter(["one", "two"])

    async def source() -> SecretStr:
        return SecretStr(next(answers))

    services.passphrase_source = source
    with pytest.raises(UsageError, match="not the same"):
        await services.credentials.init()
    assert not services.paths.vault_file.exists()


async def test_a_provider_is_removed_while_the_vault_is_locked(
    services: Services, with_passphrase: Answer
) -> None:
    """Nobody is asked; the key goes when the vault is next open, unless a new one took its place."""
    asked = with_passphrase("pass phrase")
    for slug in ("gone", "again", "stays"):
        draft = ProviderDraft(slug=slug, url="http://127.0.0.1:1")
        await services.registry.add(draft, SECRET, test=False, backend="vault")
    services.credentials.lock()
    asked.clear()
    removed = [await services.registry.remove(slug) for slug in ("gone", "again")]
    assert [entry.keys_left for entry in removed] == [("vault:gone",), ("vault:again",)]
    assert removed[0].note == "Its stored key stays in the vault until it is next unlocked."
    assert [view.row.slug for view in await services.registry.list()] == ["stays"]
    assert asked == []
    await services.registry.add(ProviderDraft(slug="again", url="http://127.0.0.1:1"), SECRET, test=False)
    services.credentials.lock()
    await services.credentials.resolve("vault:stays")
    assert await services.credentials.names("vault") == ("again", "stays")
    assert (await services.registry.remove("again")).note is None, "an open vault forgets at once"
    assert await services.credentials.names("vault") == ("stays",)


async def test_a_key_is_replaced_while_the_old_one_is_locked_away(
    services: Services, with_passphrase: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_passphrase("pass phrase")
    draft = ProviderDraft(slug="mine", url="http://127.0.0.1:1", secret_headers={"X-Team": SECRET})
    await services.registry.add(draft, SECRET, test=False, backend="vault")
    services.credentials.lock()
    asked = with_passphrase(None)
    monkeypatch.setenv("MY_KEY", "another-key-0123456789")
    view = await services.registry.set_key("mine", EnvKey("MY_KEY"), test=False)
    assert (view.row.key_ref, asked) == ("env:MY_KEY", [])
    with_passphrase("pass phrase")
    assert await services.credentials.resolve(view.row.secret_headers["X-Team"]) == SECRET
    assert await services.credentials.names("vault") == ("mine!x-team",)


async def test_a_keyring_that_refuses_keeps_no_provider(
    services: Services, os_keyring: MemoryKeyring
) -> None:
    draft = ProviderDraft(slug="gone", url="http://127.0.0.1:1")
    await services.registry.add(draft, SECRET, test=False)
    os_keyring.failure = KeyringLocked("asleep")
    assert (await services.registry.remove("gone")).keys_left == ("keyring:gone",)
    os_keyring.failure = None
    await services.credentials.store("other", SECRET)
    await services.credentials.resolve("keyring:other")
    assert [account for _, account in os_keyring.kept] == ["other"]


async def test_the_key_file_opens_the_vault_without_asking(home: Path, tmp_path: Path) -> None:
    key_file = tmp_path / "vault.key"
    key_file.write_text("from the file\n")
    key_file.chmod(0o600)
    chosen = settings(backend="vault", vault_key_file=str(key_file))
    async with open_services(under(home), settings=chosen) as services:
        assert await services.credentials.store("openai", SECRET) == "vault:openai"
    async with open_services(under(home), settings=chosen) as services:
        assert await services.credentials.resolve("vault:openai") == SECRET
        services.credentials.lock()
        key_file.chmod(0o644)
        with pytest.raises(VaultLockedError) as refused:
            await services.credentials.resolve("vault:openai")
        assert refused.value.hint == f"chmod 600 '{key_file}'"
        key_file.unlink()
        with pytest.raises(VaultLockedError, match="missing"):
            await services.credentials.resolve("vault:openai")


async def test_what_the_keyring_answered_is_remembered_for_the_session(
    home: Path, os_keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:one")
    async with open_services(under(home), settings=Settings()) as services:
        await services.credentials.backend()
        assert os_keyring.calls == 1
    async with open_services(under(home), settings=Settings()) as services:
        assert (await services.credentials.backend()).backend == "keyring"
        assert os_keyring.calls == 1, "no second probe"
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:another")
    async with open_services(under(home), settings=Settings()) as services:
        await services.credentials.backend()
        assert os_keyring.calls == 2, "another session is another keyring"
        assert (await services.credentials.probe()).state == "ready"
        assert os_keyring.calls == 3


async def test_a_keyring_that_has_gone_since_gives_way_to_the_vault(
    services: Services, os_keyring: MemoryKeyring, with_passphrase: Answer
) -> None:
    assert (await services.credentials.backend()).backend == "keyring"
    os_keyring.failure = OSError("bus gone")
    with_passphrase("pass phrase")
    assert await services.credentials.store("openai", SECRET) == "vault:openai"
    with pytest.raises(VaultLockedError):
        await services.credentials.store("groq", SECRET, backend="keyring")


async def test_a_place_the_user_chose_is_used_from_then_on(
    services: Services, os_keyring: MemoryKeyring
) -> None:
    assert (await services.credentials.backend()).backend == "keyring"
    await services.credentials.store("a", SECRET, backend="file")
    choice = await services.credentials.backend()
    assert (choice.backend, choice.state) == ("file", "ready")
    assert await services.credentials.store("b", SECRET) == "file:b"
    await services.credentials.move("keyring")
    assert (await services.credentials.backend()).backend == "keyring"


@pytest.mark.parametrize("backend", ["keyring", "vault", "file"])
async def test_every_place_keeps_and_forgets(
    services: Services, os_keyring: MemoryKeyring, with_passphrase: Answer, backend: str
) -> None:
    with_passphrase("pass phrase")
    for name in ("openai", "openai#admin", "openai!X-Api-Key"):
        ref = await services.credentials.store(name, SECRET, backend=backend)
        assert ref == f"{backend}:{name}"
        assert await services.credentials.resolve(ref) == SECRET
        await services.credentials.delete(ref)
        await services.credentials.delete(ref)
        with pytest.raises(MissingKeyError) as missing:
            await services.credentials.resolve(ref)
        assert "keys set openai" in (missing.value.hint or "")


async def test_the_environment_is_read_by_name_and_never_changed(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MissingKeyError, match="MY_KEY"):
        await services.credentials.resolve("env:MY_KEY")
    monkeypatch.setenv("MY_KEY", CANARY)
    assert await services.credentials.resolve("env:MY_KEY") == SECRET
    await services.credentials.delete("env:MY_KEY")
    assert await services.credentials.resolve("env:MY_KEY") == SECRET
    assert await services.credentials.resolve(None) is None
    await services.credentials.delete(None)


@pytest.mark.parametrize("ref", ["", "openai", "disk:x", "vault:", "sk-canary-as-a-reference"])
async def test_what_is_no_reference_is_refused(services: Services, ref: str) -> None:
    with pytest.raises(UsageError):
        await services.credentials.resolve(ref)


async def test_a_dry_run_and_a_read_only_session_keep_nothing(home: Path, os_keyring: MemoryKeyring) -> None:
    async with open_services(under(home), settings=Settings()) as services:
        await services.credentials.store("kept", SECRET)
    kept = dict(os_keyring.kept)
    async with open_services(under(home), settings=Settings(), dry_run=True) as services:
        assert await services.credentials.store("openai", SECRET) == "keyring:openai"
        await services.credentials.delete("keyring:kept")
        await services.credentials.init(SecretStr("pass phrase"))
        assert not services.paths.vault_file.exists()
    async with open_services(under(home), settings=Settings(), read_only=True) as services:
        for refused in (
            services.credentials.store("openai", SECRET),
            services.credentials.delete("keyring:kept"),
            services.credentials.init(SecretStr("pass phrase")),
            services.credentials.move("file"),
        ):
            with pytest.raises(ReadOnlyError):
                await refused
        assert await services.credentials.resolve("keyring:kept") == SECRET
    assert os_keyring.kept == kept


def row(slug: str, **fields: object) -> ProviderRow:
    base = ProviderRow(
        slug=slug, name=slug, dialect="openai", endpoint="https://x.example/v1", created_at=1, updated_at=1
    )
    return replace(base, **fields)  # type: ignore[arg-type]


async def test_moving_takes_every_secret_along_and_leaves_nothing_behind(
    services: Services, os_keyring: MemoryKeyring, with_passphrase: Answer
) -> None:
    with_passphrase("pass phrase")
    credentials, providers = services.credentials, Providers(services.db)
    key = await credentials.store("a", SECRET, backend="keyring")
    header = await credentials.store("a!X-Team", SecretStr("team-secret"), backend="file")
    admin = await credentials.store("a#admin", SecretStr("admin-secret"), backend="file")
    async with services.db.transaction() as tx:
        await providers.insert(tx, row("a", key_ref=key, secret_headers={"X-Team": header}))
        await providers.insert(tx, row("b", key_ref="env:B_KEY"))
        await providers.insert(tx, row("gone", key_ref="keyring:gone"))
    moved = await credentials.move("vault")
    assert moved == {key: "vault:a", header: "vault:a!X-Team", admin: "vault:a#admin"}
    found = await providers.get("a")
    assert found is not None
    assert (found.key_ref, found.secret_headers) == ("vault:a", {"X-Team": "vault:a!X-Team"})
    assert await credentials.resolve("vault:a!X-Team") == SecretStr("team-secret")
    other = await providers.get("b")
    assert other is not None
    assert other.key_ref == "env:B_KEY"
    assert os_keyring.kept == {}
    assert list(services.paths.credentials.glob("*.json")) == []
    assert await credentials.move("vault") == {}
    assert (await credentials.backend()).backend == "vault", "new keys follow, though a keyring answers"


async def test_a_forgotten_copy_does_not_take_the_place_of_the_key_in_use(
    services: Services, os_keyring: MemoryKeyring, with_passphrase: Answer
) -> None:
    with_passphrase("pass phrase")
    await services.credentials.store("a", SecretStr("an-old-key"), backend="file")
    key = await services.credentials.store("a", SECRET, backend="keyring")
    async with services.db.transaction() as tx:
        await Providers(services.db).insert(tx, row("a", key_ref=key))
    assert await services.credentials.move("vault") == {key: "vault:a"}
    assert await services.credentials.resolve("vault:a") == SECRET


async def test_a_move_that_cannot_finish_changes_nothing(
    services: Services, os_keyring: MemoryKeyring
) -> None:
    providers = Providers(services.db)
    key = await services.credentials.store("a", SECRET, backend="keyring")
    async with services.db.transaction() as tx:
        await providers.insert(tx, row("a", key_ref=key))
    with pytest.raises(VaultLockedError):
        await services.credentials.move("vault")
    found = await providers.get("a")
    assert found is not None
    assert await services.credentials.resolve(found.key_ref) == SECRET
    with pytest.raises(UsageError):
        await services.credentials.move("env")


async def test_the_passphrase_is_changed_and_the_lock_forgets(services: Services) -> None:
    credentials = services.credentials
    await credentials.init(SecretStr("old"))
    ref = await credentials.store("a", SECRET, backend="vault")
    with pytest.raises(VaultLockedError):
        await credentials.change_passphrase(SecretStr("wrong"), SecretStr("new"))
    await credentials.change_passphrase(SecretStr("old"), SecretStr("new"))
    credentials.lock()
    with pytest.raises(VaultLockedError):
        await credentials.resolve(ref)
    with pytest.raises(VaultLockedError):
        await credentials.unlock(SecretStr("old"))
    await credentials.unlock(SecretStr("new"))
    assert await credentials.resolve(ref) == SECRET
    assert (await credentials.status()).state == "ready"


async def test_no_secret_in_reprs_logs_errors_or_any_file(
    services: Services, with_passphrase: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with_passphrase("correct horse battery")
    credentials: Credentials = services.credentials
    ref = await credentials.store("openai", SECRET, backend="vault")
    shown = [repr(credentials), repr(vars(credentials)), repr(await credentials.resolve(ref))]
    for attempt in (
        lambda: credentials.unlock(SecretStr("wrong horse battery")),
        lambda: credentials.resolve("vault:none"),
    ):
        try:
            await attempt()
        except SwitchroomError as error:
            shown += [repr(error), str(error.as_dict())]
    text = "\n".join([*shown, caplog.text])
    for secret in (CANARY, "horse battery"):
        assert secret not in text
    for file in services.paths.data.parent.rglob("*"):
        if file.is_file():
            assert CANARY.encode() not in file.read_bytes(), file
    assert redact(f"key {CANARY} here") == "key [redacted] here"


async def test_a_move_is_done_although_the_old_place_keeps_a_copy(
    services: Services, os_keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials, providers = services.credentials, Providers(services.db)
    key = await credentials.store("a", SECRET, backend="file")
    async with services.db.transaction() as tx:
        await providers.insert(tx, row("a", key_ref=key))

    async def refuse(_self: FileBackend, _name: str) -> None:
        raise VaultLockedError("The folder cannot be written now.")

    with monkeypatch.context() as patched:
        patched.setattr(FileBackend, "delete", refuse)
        assert await credentials.move("keyring") == {key: "keyring:a"}
    assert await credentials.resolve("keyring:a") == SECRET
    assert (await credentials.backend()).backend == "keyring", "new keys follow"
    await credentials.leftovers.sweep()
    assert list(services.paths.credentials.glob("*.json")) == [], "deleted as soon as that works again"
