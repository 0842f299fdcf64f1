"""Tasks as a user has them: languages by name, recordings by path, and each one a run in the ledger, under the limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from hub_server import TOKEN, HubServer
from loop_server import LoopServer, serving
from pydantic import SecretStr

from adapters.huggingface import hub
from catalog.errors import SwitchroomError, UnpricedError, UsageError
from catalog.languages import family_of, language_code, languages, nllb_codes
from services.container import Services, open_services
from services.drafts import ProviderDraft
from services.paths import under
from services.run import Run
from services.settings_model import Retry, Settings
from services.tasks import MOST_AUDIO, recording, transcription, translation

NLLB, M2M = "facebook/nllb-200-distilled-600M", "facebook/m2m100_418M"


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    hub.forget()
    yield
    hub.forget()


@pytest.mark.parametrize(
    ("model", "typed", "code"),
    [
        (NLLB, "German", "deu_Latn"), (NLLB, "de", "deu_Latn"), (NLLB, "de-AT", "deu_Latn"), (NLLB, "deu_Latn", "deu_Latn"),
        (NLLB, "zh-TW", "zho_Hant"), (NLLB, "Chinese", "zho_Hans"), (NLLB, "ace_Arab", "ace_Arab"),
        (NLLB, "fra", "fra_Latn"), (NLLB, "Telugu", "tel_Telu"), (NLLB, "traditional chinese", "zho_Hant"), (NLLB, "FRA_LATN", "fra_Latn"),
        (NLLB, "te", "tel_Telu"), ("me/nllb-200-more", "xyz_Latn", "xyz_Latn"), (M2M, "nb", "no"), (M2M, "zh-Hant", "zh"), (M2M, "deu", "de"),
        (M2M, "Traditional Chinese", "zh"), (M2M, "german", "de"), (M2M, "deu_Latn", "de"), (M2M, "pt_BR", "pt"), (M2M, "Breton", "br"),
        ("Helsinki-NLP/opus-mt-en-de", None, None), ("facebook/mbart-large-50", "en_XX", "en_XX"),
    ],
)  # fmt: skip
def test_languages_in_the_models_own_spelling(model: str, typed: str | None, code: str | None) -> None:
    assert language_code(model, typed, "source") == code


@pytest.mark.parametrize(
    ("model", "typed", "says"),
    [
        (NLLB, None, "must be told"), (M2M, " ", "must be told"), (NLLB, "Breton", "M2M100 does"), (M2M, "Klingon", "English"),
        (NLLB, "fra_Latm", "fra_Latn"), (NLLB, "fran_Latn", "eng_Latn"), (NLLB, "Telugo", "Telugu"), (M2M, "Telugu", "NLLB does"),
        (NLLB, "Germn", "Did you mean German?"), ("t5-small", "two words", "page"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_said(model: str, typed: str | None, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        language_code(model, typed, "target")
    assert says in f"{caught.value.message} {caught.value.hint}"


def test_the_table() -> None:
    assert len(languages()) == len({one.code for one in languages()}) == 100
    assert len(nllb_codes()) == 202
    assert all(family_of(name) == "nllb" for name in ("facebook/NLLB-200-3.3B", NLLB))


def test_recordings(tmp_path: Path) -> None:
    for name, head, kind in (
        ("a.bin", b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"), ("b", b"fLaC", "audio/flac"), ("c.x", b"ID3\x04", "audio/mpeg"),
        ("d.m4a", b"\x00\x00\x00\x20ftypM4A ", "audio/m4a"), ("e.amr", b"??", "audio/AMR"), ("f.mp3", b"OggS", "audio/ogg"),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(head)
        assert recording(tmp_path / name).media_type == kind
    (tmp_path / "text.txt").write_bytes(b"hello")
    (tmp_path / "none.wav").write_bytes(b"")
    with (tmp_path / "huge.wav").open("wb") as file:
        file.truncate(MOST_AUDIO + 1)
    for name in ("text.txt", "none.wav", "huge.wav", "missing.wav", ".", "a\x00b.wav"):
        with pytest.raises(UsageError):
            recording(tmp_path / name)
    with pytest.raises(UsageError):
        recording(Path("~nobody-of-this-name/a.wav"))


@asynccontextmanager
async def room(tmp_path: Path, server: HubServer) -> AsyncIterator[tuple[Services, LoopServer]]:
    settings = Settings(retry=Retry(attempts=2, initial_delay=0, factor=1, max_delay=0.001, jitter=0))
    async with (
        serving(server) as loop,
        open_services(under(tmp_path / "home"), settings=settings) as services,
    ):
        draft = ProviderDraft(
            slug="hf",
            type="huggingface",
            url=f"{loop.url}/v1",
            options={"hub": loop.url},
            cost_mode="metered",
        )
        await services.registry.add(draft, SecretStr(TOKEN), backend="file")
        server.asked.clear()
        yield services, loop


async def ledger(services: Services) -> list[tuple[object, ...]]:
    async with services.db.transaction() as tx:
        rows = await tx.fetchall(
            "SELECT model, outcome, input, output, cost_nanos, grade FROM ledger ORDER BY id"
        )
    return [tuple(row) for row in rows]


async def test_a_task_is_a_run_with_a_cost_that_nobody_states(tmp_path: Path) -> None:
    server = HubServer()
    (tmp_path / "a.flac").write_bytes(b"fLaC...")
    async with room(tmp_path, server) as (services, _):
        request = translation(f"hf/{NLLB}", "The weather is nice.", "English", "German", caller="test")
        result = await services.runs.start(request).result()
        assert (result.text, result.state) == ("Das Wetter ist schön.", "complete")
        assert (result.cost, result.grade) == (None, "unknown")
        heard = transcription("hf/openai/whisper-tiny", tmp_path / "a.flac", caller="test")
        result = await services.runs.start(heard).result()
        assert result.text.strip() == "Ask not what your country can do for you."
        assert await ledger(services) == [
            (NLLB, "complete", None, None, None, "unknown"),
            ("openai/whisper-tiny", "complete", None, None, None, "unknown"),
        ]
        told = await services.audit.list(action="run")
        assert [(one.subject, one.result) for one in told] == [
            ("hf/openai/whisper-tiny", "complete"),
            (f"hf/{NLLB}", "complete"),
        ]
    assert "German" not in str(told)
    assert b"deu_Latn" in server.tasks[0][2]


async def test_a_limit_an_outage_and_offline(tmp_path: Path) -> None:
    server = HubServer()
    async with room(tmp_path, server) as (services, loop):

        def ask(allow_unpriced: bool = False) -> Run:
            return services.runs.start(
                translation(f"hf/{M2M}", "yes", "en", "de", caller="test", allow_unpriced=allow_unpriced)
            )

        server.refuse = (503, {"error": "Model is currently loading"}, {})
        result = await ask().result()
        assert (result.state, result.grade, len(result.attempts)) == ("failed", "computed", 2)
        assert result.cost == 0, "refused before it began"
        server.refuse = None
        await services.budgets.set("global", "daily", Decimal(1))
        with pytest.raises(UnpricedError):
            await ask().result()
        assert (await ask(allow_unpriced=True).result()).state == "complete"
        before = len(server.asked)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HF_HUB_OFFLINE", "1")
            with pytest.raises(SwitchroomError) as caught:
                await ask(allow_unpriced=True).result()
            assert caught.value.code == "offline"
        assert len(server.asked) == before
        assert len(await ledger(services)) == 3
        assert loop.connections


async def test_a_provider_that_only_chats_runs_no_task(tmp_path: Path) -> None:
    server = HubServer()
    async with room(tmp_path, server) as (services, loop):
        await services.registry.add(
            ProviderDraft(slug="plain", type="openai", url=f"{loop.url}/v1"),
            SecretStr(TOKEN),
            test=False,
            backend="file",
        )
        with pytest.raises(UsageError) as caught:
            await services.runs.start(translation("plain/x", "yes", None, None, caller="test")).result()
    assert "only chat" in caught.value.message
    assert not server.tasks


def cached(tmp_path: Path) -> None:
    """One whole model in the cache: a/cached."""
    blobs = tmp_path / "hf" / "hub" / "models--a--cached" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / "x").write_bytes(b"x")
    snapshot = blobs.parent / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").symlink_to("../../blobs/x")


async def test_a_sync_while_the_variable_is_set_keeps_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with room(tmp_path, HubServer()) as (services, loop):
        cached(tmp_path)
        await services.sync.sync(["hf"])
        before = [(view.ref, view.info.status) for view in await services.models.list()]
        assert len(before) > 1
        connections = loop.connections
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        [result] = await services.sync.sync(["hf"])
        assert result.error is not None
        assert (result.error.code, result.total) == ("offline", 5)
        assert [(view.ref, view.info.status) for view in await services.models.list()] == before
        assert loop.connections == connections


async def test_without_a_list_the_cached_models_are_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(tmp_path)
    async with room(tmp_path, HubServer()) as (services, loop):
        connections = loop.connections
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        [result] = await services.sync.sync(["hf"])
        assert (result.state, result.total) == ("ok", 1)
        assert "hf/a/cached" in {view.ref for view in await services.models.list()}
        assert loop.connections == connections


async def test_a_task_that_is_stopped_may_have_cost_something(tmp_path: Path) -> None:
    server = HubServer(hold=asyncio.Event())
    async with room(tmp_path, server) as (services, _):
        run = services.runs.start(translation(f"hf/{M2M}", "yes", "en", "de", caller="test"))
        async with asyncio.timeout(5):
            while not server.tasks:  # noqa: ASYNC110  the server has no other way to tell
                await asyncio.sleep(0.005)
        run.cancel()
        result = await run.result()
        assert (result.state, result.cost, result.grade) == ("cancelled", None, "unknown")
        assert await ledger(services) == [(M2M, "cancelled", None, None, None, "unknown")]
        assert server.hold is not None
        server.hold.set()
