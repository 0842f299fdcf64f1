"""`switchroom catalog`: refresh with its exit status, what changed, problems of files, and where they lie."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRICES: dict[str, float] = {}


class _Source(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        models = [
            {"id": name, "match": {"equals": name}, "prices": {"input_mtok": price, "output_mtok": 9}}
            for name, price in PRICES.items()
        ]
        body = json.dumps([{"id": "openai", "models": models}]).encode()
        self.send_response(200 if self.path == "/genai.json" else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def source(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Source)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    for name in ("CATWALK", "MODELSDEV", "OPENROUTER"):
        monkeypatch.setenv(f"SWITCHROOM_CATALOG__{name}", "none")
    monkeypatch.setenv("SWITCHROOM_CATALOG__GENAI", f"{url}/genai.json")
    PRICES.clear()
    PRICES.clear()
    PRICES["gpt-4o"] = 2.5
    yield url
    server.shutdown()
    server.server_close()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_refresh_and_what_changed(source: str, home: Path) -> None:
    assert run("providers", "add", "mine", "--type", "openai", "--no-test").returncode == 0
    first = run("catalog", "refresh", "--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["sources"][0]["state"] == "ok"
    PRICES["gpt-4o"] = 3.0
    again = run("catalog", "refresh")
    assert again.returncode == 0
    assert "Asking the sources" in again.stderr
    assert "genai-prices: 1 model" in again.stderr
    changes = json.loads(run("catalog", "diff", "--json").stdout)["changes"]
    dearer = [change for change in changes if change["kind"] == "dearer"]
    assert {"model": "gpt-4o", "old": "2.5", "new": "3", "refs": ["mine/gpt-4o"], "rise": "0.2000"}.items() <= dearer[0].items()  # fmt: skip
    shown = json.loads(run("models", "show", "mine/gpt-4o", "--json").stdout)
    assert shown["sources"]["price"] == "refreshed:genai"
    assert shown["as_of"]["price"].endswith("Z")
    assert shown["as_of"]["price"] > shown["as_of"]["shutdown_date"]
    listed = json.loads(run("catalog", "list", "--json").stdout)
    assert listed["refreshed"][0]["source"] == "genai"
    paths = json.loads(run("catalog", "path", "--json").stdout)
    assert (Path(paths["refreshed"]) / "genai.jsonl").is_file()


def test_a_price_that_is_not_believed_and_one_that_is_not_in_force_are_told(source: str, home: Path) -> None:
    run("providers", "add", "mine", "--type", "openai", "--no-test")
    PRICES.update({"gpt-4o": 2.5, "gpt-4.1": 2})
    run("catalog", "refresh", "--json")
    run("models", "price", "mine/gpt-4.1", "--in", "1", "--out", "2")
    PRICES.update({"gpt-4o": 2500, "gpt-4.1": 3})
    result = run("catalog", "refresh", "--source", "genai", "--json")
    assert json.loads(result.stdout)["sources"][0]["not_believed"] == 1
    changes = json.loads(run("catalog", "diff", "--json").stdout)["changes"]
    doubted = [change for change in changes if change["kind"] == "doubted"]
    assert [(change["refs"], change["new"]) for change in doubted] == [(["mine/gpt-4o"], "2500")]
    [raised] = [c for c in changes if c["model"] == "gpt-4.1" and c["field"] == "price.input"]
    assert raised["overruled"] == {"mine/gpt-4.1": "the price you typed in"}
    assert "not in force for mine/gpt-4.1" in run("catalog", "diff").stdout


def test_exit_status_of_failures(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHROOM_CATALOG__MODELSDEV", f"{source}/nothing")
    failed = run("catalog", "refresh", "--json")
    assert failed.returncode == 5
    states = {found["source"]: found["state"] for found in json.loads(failed.stdout)["sources"]}
    assert states == {"genai": "ok", "modelsdev": "error"}  # all were tried
    assert run("catalog", "refresh", "--source", "nobody").returncode == 2
    assert run("catalog", "refresh", "--read-only").returncode == 3
    monkeypatch.setenv("SWITCHROOM_OFFLINE", "1")
    monkeypatch.setenv("SWITCHROOM_CATALOG__MODELSDEV", "none")
    monkeypatch.setenv("SWITCHROOM_CATALOG__GENAI", "https://prices.example/data.json")
    offline = run("catalog", "refresh")
    assert offline.returncode == 3, offline.stdout + offline.stderr


def test_a_bad_file_is_named_and_the_rest_is_listed(home: Path) -> None:
    folder = home / "config" / "user-catalog"
    folder.mkdir(parents=True)
    (folder / "mine.json").write_text('{"name": "M",\n "type": 5}')
    (folder / "house.json").write_text('{"type": "openai-compat", "api_endpoint": "https://h.example/v1"}')
    found = run("catalog", "list", "--json")
    assert found.returncode == 0
    document = json.loads(found.stdout)
    assert "house" in {provider["id"] for provider in document["providers"]}
    [problem] = document["problems"]
    assert problem["line"] == 2
    assert "mine.json:2" in found.stderr


def test_what_changed_stops_at_sixty_lines_and_says_how_to_see_the_rest() -> None:
    from decimal import Decimal

    from cli.commands.catalog_diff import _changes
    from services.catalog_changes import CatalogChange

    found = [
        CatalogChange("price", "openai", f"m{n}", "input", Decimal(1), Decimal(2), at=0) for n in range(100)
    ]
    shown = _changes(found, 7, everything=False).splitlines()
    assert len(shown) == 1 + 60 + 2
    assert shown[-2] == "… and 40 further changes (all with --all or --json)"
    assert shown[-1].startswith("7 more of vendors")
    assert len(_changes(found, 0, everything=True).splitlines()) == 1 + 100
