"""The hub on loopback: whose token it is, search, tasks, downloads by the real library, and nothing at all while offline."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest
from hub_server import COMMIT, FILES, TOKEN, HubServer
from loop_server import LoopServer, serving
from pydantic import SecretStr

from adapters.abilities import PullsModels, RunsTasks, SearchesModels, Transcribe, Translate
from adapters.base import Connection
from adapters.errors import (
    InvalidCredentialsError,
    ModelUnavailableError,
    NoCreditError,
    Origin,
    PermissionDeniedError,
    ProviderError,
)
from adapters.events import ChatRequest, Message
from adapters.fetch import Fetcher
from adapters.huggingface import HuggingFaceAdapter, download, hub
from adapters.huggingface.hub import hub_error
from adapters.huggingface.places import cache_folder, offline_variable, places, with_address
from catalog.errors import OfflineError, UsageError
from catalog.hf_home import home, token_file
from services.environment import variables
from services.paths import under
from store.vault.env import EnvBackend

needs_library = pytest.mark.skipif(
    find_spec("huggingface_hub") is None, reason="switchroom[hf] is not installed"
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    hub.forget()
    yield tmp_path / "hf" / "hub"
    hub.forget()


@asynccontextmanager
async def provider(
    server: HubServer, *, key: str = TOKEN, fetcher: Fetcher | None = None, **options: str
) -> AsyncIterator[tuple[HuggingFaceAdapter, LoopServer]]:
    fetcher = fetcher or Fetcher()
    async with serving(server) as loop:
        connection = Connection(
            "hf", "huggingface", f"{loop.url}/v1", key=SecretStr(key), options={"hub": loop.url, **options}
        )
        adapter = HuggingFaceAdapter(connection, fetcher)
        try:
            yield adapter, loop
        finally:
            await adapter.aclose()
            await fetcher.aclose()


# whose token


async def test_a_good_token_is_asked_for_once_and_not_kept() -> None:
    server = HubServer()
    async with provider(server) as (adapter, _):
        for _ in range(3):
            verdict = await adapter.validate()
            assert verdict.ok
        assert (
            verdict.message
            == "The token ci of ada is accepted (fine-grained). Its billing period ends 2026-12-01. 5 models."
        )
    assert server.asked.count("GET /api/whoami-v2") == 1
    assert server.asked.count("GET /v1/models") == 3, "that it answers is seen each time"
    assert TOKEN not in repr(hub._known)


async def test_a_bad_answer_is_not_remembered() -> None:
    server = HubServer(token="hf_another")
    async with provider(server) as (adapter, _):
        assert (await adapter.validate()).state == "invalid_key"
        server.token = TOKEN
        assert (await adapter.validate()).ok


@pytest.mark.parametrize(
    ("fine", "state"),
    [
        (
            {"global": ["discussion.write"], "scoped": [{"permissions": ["repo.content.read"]}]},
            "no_permission",
        ),
        ({"global": [], "scoped": []}, "no_permission"),
        ({"global": ["inference.serverless.write"]}, "ok"),
        ({"global": None, "scoped": [{"permissions": [7, "inference.endpoints.infer.write"]}, 3]}, "ok"),
        ("broken", "ok"),
    ],
)
async def test_what_a_fine_grained_token_may(fine: Any, state: str) -> None:
    server = HubServer()
    server.who["auth"]["accessToken"]["fineGrained"] = fine
    async with provider(server) as (adapter, _):
        verdict = await adapter.validate()
    assert verdict.state == state
    if verdict.error is not None:
        assert "huggingface.co/settings/tokens" in (verdict.error.hint or "")


async def test_an_account_that_cannot_pay_is_told() -> None:
    server = HubServer()
    server.who["canPay"] = False
    async with provider(server) as (adapter, _):
        assert "only the month's free credits" in (await adapter.validate()).message


@pytest.mark.parametrize(
    ("status", "code", "body", "kind"),
    [
        (401, "RepoNotFound", "", ModelUnavailableError),
        (401, "", "", ModelUnavailableError),
        (401, "", '{"error": "Invalid credentials in Authorization header"}', InvalidCredentialsError),
        (403, "GatedRepo", "", PermissionDeniedError),
        (404, "RevisionNotFound", "", ModelUnavailableError),
        (404, "EntryNotFound", "", ModelUnavailableError),
    ],
)
def test_the_hubs_refusals(status: int, code: str, body: str, kind: type[ProviderError]) -> None:
    error = hub_error(Origin("hf", "a/b"), status, {"x-error-code": code}, body.encode())
    assert type(error) is kind
    assert error.hint


async def test_search() -> None:
    server = HubServer()
    async with provider(server) as (adapter, loop):
        assert isinstance(adapter, SearchesModels)
        found = await adapter.search("whisper", "automatic-speech-recognition", 5)
        [request] = loop.requests
    assert [(one.downloads, one.gated) for one in found] == [(812_345, False), (12, True)]
    assert found[0].id == "openai/whisper-tiny"
    assert "\x1b" not in found[1].id
    assert "filter=automatic-speech-recognition" in request.path
    assert "limit=5" in request.path


# the router


async def test_who_served_is_told_and_spent_credits_are_final() -> None:
    server = HubServer()
    ask = ChatRequest("m", (Message("user", "hello"),))
    async with provider(server) as (adapter, _):
        async with adapter.stream(ask) as stream:
            async for _event in stream:
                pass
        assert (stream.served_model, stream.served_by) == ("m-2026", "together")
        server.refuse = (402, {"error": "You have exceeded your monthly included credits."}, {})
        with pytest.raises(NoCreditError) as caught:
            async with adapter.stream(ask):
                pytest.fail("it was refused")
    assert not caught.value.retryable
    assert "month's credits" in caught.value.message
    assert "next month" in (caught.value.hint or "")


def test_addresses() -> None:
    def of(
        url: str, environ: dict[str, str] | None = None, **options: str
    ) -> tuple[str, str | None, str | None]:
        found = places(with_address(Connection("hf", "huggingface", url, options=options)), environ or {})
        return found.chat, found.hub, found.tasks

    router = "https://router.huggingface.co"
    usual = (f"{router}/v1", "https://huggingface.co", f"{router}/hf-inference/models")
    assert (
        of(f"{router}/v1")
        == of("https://huggingface.co")
        == of("https://api-inference.huggingface.co")
        == usual
    )
    assert of(f"{router}/v1", {"HF_ENDPOINT": "https://mirror.example/"})[1] == "https://mirror.example"
    assert (
        of(f"{router}/v1", {"HF_ENDPOINT": "https://a.example"}, hub="https://b.example")[1]
        == "https://b.example"
    )
    own = "https://x1.eu-west-1.aws.endpoints.huggingface.cloud"
    assert of(own) == (own, "https://huggingface.co", None)
    assert of("http://127.0.0.1:8080/v1")[1] is None, "a server of one's own: the hub does not get its key"


def test_variables(tmp_path: Path) -> None:
    assert cache_folder({"HF_HOME": "/x"}) == Path("/x/hub")
    assert cache_folder({"HF_HOME": "/x", "HF_HUB_CACHE": "/y"}) == Path("/y")
    assert home({"XDG_CACHE_HOME": "/c"}) == Path("/c/huggingface")
    assert token_file({"HF_HOME": "/x"}) == Path("/x/token")
    assert token_file({"HF_HOME": "/x", "HF_TOKEN_PATH": "/t"}) == Path("/t")
    for yes in ("1", "ON", "yes", "True"):
        assert offline_variable({"HF_HUB_OFFLINE": yes}) == "HF_HUB_OFFLINE"
        assert offline_variable({"TRANSFORMERS_OFFLINE": yes}) == "TRANSFORMERS_OFFLINE"
    for no in ("0", "", "off", "2"):
        assert offline_variable({"HF_HUB_OFFLINE": no}) is None
    assert offline_variable({"HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "1"}) is None, "the first decides"


async def test_a_token_that_a_login_left_is_found_and_read_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    environ = {"HF_TOKEN_PATH": str(tmp_path / "token")}
    found = variables(under(tmp_path / "home"), environ)
    assert found.key("HF_TOKEN") == TOKEN
    assert found.where("HF_TOKEN") == f"in {tmp_path / 'token'}"
    assert TOKEN not in repr(found)
    secret = await EnvBackend(environ=environ).get("HF_TOKEN")
    assert secret is not None
    assert secret.get_secret_value() == TOKEN
    assert variables(under(tmp_path / "home"), {**environ, "HF_TOKEN": "hf_other"}).where("HF_TOKEN") == "set"
    for hostile in ("two words", "a" * 2_000, "line\nline", "\x1b[31m"):
        (tmp_path / "token").write_text(hostile)
        assert await EnvBackend(environ=environ).get("HF_TOKEN") is None
    assert await EnvBackend(environ={"HF_TOKEN_PATH": "/dev/zero"}).get("HF_TOKEN") is None


# tasks


async def test_a_translation_and_a_transcript() -> None:
    server = HubServer()
    async with provider(server, bill_to="my-team") as (adapter, _):
        assert isinstance(adapter, RunsTasks)
        task = Translate("The weather is nice.", "eng_Latn", "deu_Latn")
        async with adapter.run_task("facebook/nllb-200-distilled-600M", task) as stream:
            said = [event async for event in stream]
        assert getattr(said[0], "text", "") == "Das Wetter ist schön."
        assert stream.state == "complete"
        async with adapter.run_task("openai/whisper-tiny", Transcribe(b"fLaC...", "audio/flac")) as stream:
            assert stream.served_by == "hf-inference"
        assert stream.state == "cancelled"
        with pytest.raises(ModelUnavailableError) as caught:
            async with adapter.run_task("some/unsupported", task):
                pytest.fail("it was refused")
        assert "endpoint" in (caught.value.hint or "")
    (model, headers, body), (_, sound, audio), _ = server.tasks
    assert (model, headers["x-hf-bill-to"]) == ("facebook/nllb-200-distilled-600M", "my-team")
    assert (
        body
        == b'{"inputs":"The weather is nice.","parameters":{"src_lang":"eng_Latn","tgt_lang":"deu_Latn"}}'
    )
    assert (sound["content-type"], audio) == ("audio/flac", b"fLaC...")


async def test_an_endpoint_of_ones_own_is_sent_the_task_itself() -> None:
    paths = []

    async def handle(exchange: Any) -> None:
        paths.append(exchange.path)
        await exchange.answer(200, [{"generated_text": "ja"}])

    async with serving(handle) as loop:
        connection = Connection("hf", "huggingface", loop.url, options={"tasks": "endpoint"})
        adapter = HuggingFaceAdapter(connection, Fetcher())
        async with adapter.run_task("x", Translate("yes")) as stream:
            assert [getattr(event, "text", "") async for event in stream] == ["ja", ""]
        await adapter.aclose()
    assert paths == ["/"]


# downloads


async def pulled(adapter: HuggingFaceAdapter, model: str = "openai/whisper-tiny") -> list[Any]:
    async with adapter.pull(model) as reports:
        return [report async for report in reports]


@needs_library
async def test_a_download_that_is_cut_goes_on_and_is_deleted_again(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-inherited")
    server = HubServer(stall=asyncio.Event())
    seen: list[tuple[list[str], dict[str, str]]] = []
    async with provider(server) as (adapter, loop):
        assert isinstance(adapter, PullsModels)
        async with adapter.pull("openai/whisper-tiny") as reports:
            async for report in reports:
                if report.completed and report.completed > 100_000:
                    [child] = [
                        p
                        for p in psutil.Process().children(recursive=True)
                        if "child.py" in " ".join(p.cmdline())
                    ]
                    seen.append((child.cmdline(), child.environ()))
                    break
        assert not child.is_running(), "leaving ends it at once"
        assert [(m.id, m.state) for m in await adapter.installed()] == [("openai/whisper-tiny", "partial")]
        assert server.stall is not None
        server.stall.set()
        told = await pulled(adapter)
        assert told[-1].done
        assert (told[-1].completed or 0) >= len(FILES["model.safetensors"])
        small = f"GET /openai/whisper-tiny/resolve/{COMMIT}/config.json"
        assert server.asked.count(small) == 1, "what is whole is not fetched twice"
        [model] = await adapter.installed()
        assert (model.id, model.state, model.details["files"]) == ("openai/whisper-tiny", "ready", 3)
        assert {r.headers.get("authorization") for r in loop.requests} == {f"Bearer {TOKEN}"}
        snapshot = next((own_cache / "models--openai--whisper-tiny" / "snapshots").iterdir())
        assert (snapshot / "model.safetensors").read_bytes() == FILES["model.safetensors"]
        await adapter.delete("openai/whisper-tiny")
        assert await adapter.installed() == []
        with pytest.raises(ModelUnavailableError):
            await adapter.delete("openai/whisper-tiny")
        with pytest.raises(ModelUnavailableError) as caught:
            await pulled(adapter, "nobody/nothing")
        assert "private" in caught.value.message
    [(arguments, environ)] = seen
    assert TOKEN not in " ".join(arguments) + " ".join(environ.values())
    assert "OPENAI_API_KEY" not in environ


async def test_without_the_library_a_download_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "find_spec", lambda _name: None)
    async with provider(HubServer()) as (adapter, _):
        with pytest.raises(UsageError) as caught:
            await pulled(adapter)
    assert caught.value.hint == "Install it: pip install 'switchroom[hf]'"


# offline


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
async def test_while_the_variable_is_set_no_socket_reaches_the_hub(
    name: str, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = own_cache / "models--openai--whisper-tiny" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / "abc").write_bytes(b"x" * 10)
    snapshot = blobs.parent / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").symlink_to("../../blobs/abc")
    monkeypatch.setenv(name, "1")
    async with provider(HubServer()) as (adapter, loop):
        assert (await adapter.validate()).state == "offline"
        assert [model.id for model in await adapter.list_models()] == ["openai/whisper-tiny"]
        assert [model.id for model in await adapter.installed()] == ["openai/whisper-tiny"]
        for refused in (
            adapter.stream(ChatRequest("m", (Message("user", "hello"),))),
            adapter.run_task("m", Translate("x")),
            adapter.pull("openai/whisper-tiny"),
        ):
            with pytest.raises(OfflineError):
                async with refused:
                    pytest.fail("it was refused")
        with pytest.raises(OfflineError):
            await adapter.search("whisper")
        assert loop.connections == 0


async def test_the_programs_own_gate_is_asked_before_a_process_is_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def closed(host: str) -> None:
        raise OfflineError(f"{host} is not on this machine.")

    async def never(*_args: object, **_how: object) -> None:
        pytest.fail("no process is started")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", never)
    async with provider(HubServer(), fetcher=Fetcher(closed)) as (adapter, loop):
        with pytest.raises(OfflineError):
            await pulled(adapter)
        assert loop.connections == 0


def test_the_downloading_process_gets_proxy_and_token_through_the_pipe_alone() -> None:
    connection = Connection("hf", "huggingface", "https://router.huggingface.co/v1", key=SecretStr(TOKEN), proxy=SecretStr("http://me:pw@proxy.example:3128"))  # fmt: skip
    environ = {**os.environ, "HF_TOKEN": TOKEN, "AWS_SECRET_ACCESS_KEY": "x", "SSL_CERT_FILE": "/ca.pem"}
    environ["HTTPS_PROXY"] = "http://you:pw@elsewhere.example"
    child = download.child_environment("https://huggingface.co", environ)
    assert child["SSL_CERT_FILE"] == "/ca.pem"
    assert not {"HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY"} & child.keys()
    assert TOKEN not in " ".join(child.values())
    line = download.told(connection, "https://huggingface.co", Path("/cache"), "a/b", alone=False)
    assert line["token"] == TOKEN
    assert line["proxy"] == dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY"), "http://me:pw@proxy.example:3128")


@needs_library
async def test_offline_a_hub_on_this_machine_leads_nowhere_else() -> None:
    def closed(host: str) -> None:
        if host != "127.0.0.1":
            raise OfflineError(f"{host} is not on this machine.")

    class Leads(HubServer):
        async def __call__(self, exchange: Any) -> None:
            if "/resolve/" in exchange.path:
                facts = {"x_repo_commit": COMMIT, "x_linked_etag": '"abc"', "x_linked_size": "5"}
                await exchange.answer(302, b"", location=f"http://localhost:{port}/elsewhere", **facts)
            else:
                await super().__call__(exchange)

    async with serving(HubServer()) as elsewhere:
        port = elsewhere.url.rpartition(":")[2]
        async with provider(Leads(), fetcher=Fetcher(closed)) as (adapter, loop):
            with pytest.raises(ProviderError, match="leads to localhost, which is not reached while offline"):
                await pulled(adapter)
        assert loop.connections
        assert elsewhere.connections == 0


@needs_library
async def test_going_offline_ends_a_download_that_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "LOOK", 0.05)
    closed: list[bool] = []

    def gate(host: str) -> None:
        if closed:
            raise OfflineError(f"{host} is not on this machine.")

    server = HubServer(stall=asyncio.Event())
    async with provider(server, fetcher=Fetcher(gate)) as (adapter, _):

        async def begun() -> None:
            async with adapter.pull("openai/whisper-tiny") as reports:
                async for report in reports:
                    if report.completed:
                        closed.append(True)

        with pytest.raises(OfflineError):
            await begun()
        assert not [p for p in psutil.Process().children() if "child.py" in " ".join(p.cmdline())]
        assert server.stall is not None
        server.stall.set()


@pytest.mark.parametrize("name", ["two words", "../../etc", "a/b/c", "--help", ""])
async def test_what_is_no_name_starts_no_process(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_args: object, **_how: object) -> None:
        pytest.fail("no process is started")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", never)
    async with provider(HubServer()) as (adapter, _):
        with pytest.raises(UsageError):
            await pulled(adapter, name)
