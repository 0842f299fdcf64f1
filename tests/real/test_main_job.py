"""The main job on a real llama.cpp server, by the command line: connect, sync, chat, see what it cost."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest
from real_peers import ROOT, LlamaFarm, Switchroom, program, wait_until

pytestmark = pytest.mark.real

SAID = "Hello from a tiny model. Zażółć gęślą 日本語🙂 `code` **bold** [red]markup[/red] \x1b[31mESC Goodbye!"


def test_connect_sync_chat_and_cost(llamas: LlamaFarm, switchroom: Switchroom) -> None:
    server = llamas.get("script")
    added = switchroom("providers", "add", "tiny", "--url", server.url, "--json")
    assert added.status == 0, added.err
    synced = switchroom("sync", "tiny", "--json")
    assert synced.status == 0, synced.err
    result = json.loads(synced.out)["providers"][0]
    assert (result["slug"], result["state"], result["total"]) == ("tiny", "ok", 1)
    models = json.loads(switchroom("models", "list", "--json").out)["models"]
    assert [m["ref"] for m in models] == ["tiny/tiny-script"]
    chat = switchroom("chat", "-m", "tiny/tiny-script", "--json", "hi")
    assert chat.status == 0, chat.err
    answer = json.loads(chat.out)
    assert answer["text"] == SAID
    assert (answer["state"], answer["finish_reason"]) == ("complete", "stop")
    assert answer["usage"]["input"] > 0
    assert answer["usage"]["output"] == 20
    assert (answer["cost_usd"], answer["cost_grade"]) == (
        None,
        "own",
    )  # own hardware: no price per token, not $0
    rows = json.loads(switchroom("usage", "--json").out)
    assert rows["total"]["runs"] == 1
    assert rows["total"]["output"] == 20


def test_jsonl_streams_events_and_ends_with_the_document(llamas: LlamaFarm, switchroom: Switchroom) -> None:
    server = llamas.get("script")
    assert switchroom("providers", "add", "tiny", "--url", server.url).status == 0
    done = switchroom("chat", "-m", "tiny/tiny-script", "--jsonl", "hi")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert events[0]["event"] == "started"
    assert events[-1]["event"] == "finished"
    assert "".join(e["text"] for e in events if e["event"] == "text") == SAID == events[-1]["text"]
    assert sum(e["event"] == "text" for e in events) > 3
    assert "\x1b" not in done.out


def test_plain_answer_equals_the_streamed_one(llamas: LlamaFarm, switchroom: Switchroom) -> None:
    server = llamas.get("script")
    assert switchroom("providers", "add", "tiny", "--url", server.url).status == 0
    done = switchroom("chat", "-m", "tiny/tiny-script", "--no-stream", "--json", "hi")
    assert json.loads(done.out)["text"] == SAID


def test_a_key_is_kept_and_a_wrong_one_ends_with_4(
    llamas: LlamaFarm, switchroom: Switchroom, vault_key: dict[str, str], home: Path
) -> None:
    server = llamas.get("think", "sk-real-canary-0123456789")
    wrong = switchroom(
        "providers", "add", "think", "--url", server.url, "--key-stdin", "--json",
        stdin="sk-wrong-canary-9876543210\n", environment=vault_key,
    )  # fmt: skip
    assert wrong.status == 4
    assert json.loads(wrong.out)["error"]["code"] == "invalid_credentials"
    assert json.loads(switchroom("providers", "list", "--json").out)["providers"] == []
    right = switchroom(
        "providers", "add", "think", "--url", server.url, "--key-stdin", "--json",
        stdin="sk-real-canary-0123456789\n", environment=vault_key,
    )  # fmt: skip
    assert right.status == 0, right.err
    chat = switchroom("chat", "-m", "think/tiny-think", "--json", "hi", environment=vault_key)
    answer = json.loads(chat.out)
    assert "ponder" in answer["thinking"]
    assert answer["text"].strip() == "The answer: 42!!"
    locked = switchroom("chat", "-m", "think/tiny-think", "--json", "hi")
    assert locked.status == 7
    assert json.loads(locked.out)["error"]["code"] == "vault_locked"
    for file in home.rglob("*"):
        if file.is_file():
            assert b"canary" not in file.read_bytes(), file


def test_a_tool_call_comes_whole(llamas: LlamaFarm, switchroom: Switchroom, tmp_path: Path) -> None:
    server = llamas.get("tool")
    assert switchroom("providers", "add", "tool", "--url", server.url).status == 0
    tools = tmp_path / "tools.json"
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    function = {"name": "get_weather", "description": "weather", "parameters": schema}
    tools.write_text(json.dumps([{"type": "function", "function": function}]))
    done = switchroom("chat", "-m", "tool/tiny-tool", "--tools", str(tools), "--json", "weather?")
    answer = json.loads(done.out)
    assert [(c["name"], c["arguments"]) for c in answer["tool_calls"]] == [("get_weather", {"city": "Paris"})]
    assert answer["finish_reason"] == "tool_calls"


def start_long_answer(switchroom: Switchroom, llamas: LlamaFarm, home: Path) -> subprocess.Popen[str]:
    server = llamas.get("long")
    assert switchroom("providers", "add", "long", "--url", server.url).status == 0
    process = subprocess.Popen(
        [*program(), "chat", "-m", "long/tiny-long", "--jsonl", "--max-tokens", "100000", "go"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env={**os.environ, "SWITCHROOM_HOME": str(home)},
    )
    assert process.stdout
    for line in process.stdout:
        if json.loads(line)["event"] == "text":
            return process
    pytest.fail(f"no text came: {process.stderr.read() if process.stderr else ''}")


def test_interrupting_stops_the_server_and_keeps_the_partial_answer(
    llamas: LlamaFarm, switchroom: Switchroom, home: Path
) -> None:
    process = start_long_answer(switchroom, llamas, home)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    document = json.loads(out.splitlines()[-1])
    assert document["state"] == "cancelled"
    assert "tick" in document["text"]
    assert document["usage"]["output"]
    server = llamas.get("long")
    wait_until(lambda: "cancel" in server.log_text(), "the server's log shows the cancel")
    total = json.loads(switchroom("usage", "--json").out)["total"]
    assert (total["runs"], total["output"] > 0) == (1, True)


def test_kill_9_mid_stream_is_settled_by_the_next_start(
    llamas: LlamaFarm, switchroom: Switchroom, home: Path
) -> None:
    process = start_long_answer(switchroom, llamas, home)
    process.kill()
    process.wait()
    store = home / "data" / "switchroom.db"
    with sqlite3.connect(store) as database:
        assert database.execute("SELECT count(*) FROM reservations").fetchone() == (1,)
    rows = json.loads(switchroom("audit", "list", "--json").out)["rows"]
    assert any(row["result"] == "interrupted" or "interrupted" in json.dumps(row["detail"]) for row in rows)
    with sqlite3.connect(store) as database:
        assert database.execute("SELECT count(*) FROM reservations").fetchone() == (0,)
        assert database.execute("SELECT outcome FROM ledger").fetchall() == [("interrupted",)]
    verified = json.loads(switchroom("audit", "verify", "--json").out)
    assert verified["intact"] is True


def test_a_model_the_server_does_not_serve_or_no_server_at_all(
    llamas: LlamaFarm, switchroom: Switchroom
) -> None:
    assert switchroom("chat", "-m", "nowhere/x", "hi").status == 6
    gone = switchroom("providers", "add", "gone", "--url", "http://127.0.0.1:9/v1", "--json")
    assert gone.status == 5
    assert json.loads(gone.out)["error"]["code"] == "network"
