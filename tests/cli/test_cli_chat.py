"""One run on the command line: its document, its events, its text, and every way it can end."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cli_harness import HOSTILE, KEY, ROOT, Wire, program, write_vendor

Cli = Callable[..., Any]
DOCUMENT = {
    "run_id", "model", "text", "thinking", "tool_calls", "state", "finish_reason", "usage", "cost_usd", "cost_grade",
    "ttft_ms", "duration_ms", "cached", "server", "attempts",
}  # fmt: skip
ATTEMPT = {"model", "state", "status", "request_id", "served_by", "retry_after_ms", "error"}
ERROR = {"code", "title", "message", "hint", "provider", "status"}
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


@pytest.fixture
def tiny(cli: Cli, wire: Wire) -> Wire:
    """The server, connected as `tiny`, its retries switched off."""
    assert cli("providers", "add", "tiny", "--url", wire.url, "--retries", "0").status == 0
    return wire


@pytest.fixture
def priced(cli: Cli, wire: Wire, home: Path) -> Wire:
    """The server under a vendor's name, so that its models have list prices."""
    write_vendor(home)
    done = cli(
        "providers", "add", "paid", "--type", "acme", "--url", wire.url, "--cost", "metered", "--no-test"
    )
    assert done.status == 0, done.err
    return wire


def test_the_document(cli: Cli, tiny: Wire) -> None:
    done = cli("chat", "-m", "tiny/echo", "--json", "hi")
    assert done.status == 0, done.err
    assert done.err == ""
    document = done.json
    assert set(document) == DOCUMENT
    assert document["model"] == "tiny/echo"
    assert document["text"] == "Hello, world"
    assert (document["state"], document["finish_reason"]) == ("complete", "stop")
    assert document["usage"] == {
        "input": 12, "output": 5, "cache_read": None, "cache_write": None, "reasoning": None,
    }  # fmt: skip
    assert (document["cost_usd"], document["cost_grade"]) == (None, "own")
    assert set(document["attempts"][0]) == ATTEMPT
    assert document["attempts"][0]["status"] == 200
    assert cli("chat", "-m", "tiny/echo", "--json", "--no-stream", "hi").json["text"] == "Hello, world"
    assert tiny.seen[-1].get("stream") in (None, False)


def test_events_one_a_line_and_the_last_carries_the_document(cli: Cli, tiny: Wire) -> None:
    done = cli("chat", "-m", "tiny/think", "--jsonl", "hi")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert [event["event"] for event in events] == ["started", "thinking", "text", "usage", "finished"]
    assert set(events[-1]) == DOCUMENT | {"event"}
    assert (events[-1]["thinking"], events[-1]["text"]) == ("hmm", "42")
    assert events[0]["run_id"] == events[-1]["run_id"]


def test_a_tool_call_is_an_object(cli: Cli, tiny: Wire, tmp_path: Path) -> None:
    file = tmp_path / "tools.json"
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    function = {"name": "get_weather", "description": "weather", "parameters": schema}
    for content in ([{"type": "function", "function": function}], [function], {"tools": [function]}):
        file.write_text(json.dumps(content))
        document = cli("chat", "-m", "tiny/tool", "--tools", str(file), "--json", "hi").json
        assert document["tool_calls"] == [
            {"id": "call_1", "name": "get_weather", "arguments": {"city": "Paris"}}
        ]
        assert document["finish_reason"] == "tool_calls"
        assert tiny.seen[-1]["tools"][0]["function"]["name"] == "get_weather"
    plain = cli("chat", "-m", "tiny/tool", "--tools", str(file), "hi")
    assert "get_weather" in plain.err


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "[1]", '[{"name": ""}]', '[{"name": "a", "parameters": 1}]', '[{"name":"a"},{"name":"a"}]', '[{"name":"a","description":1}]'])  # fmt: skip
def test_a_tools_file_that_is_none_is_2(cli: Cli, tiny: Wire, tmp_path: Path, content: str) -> None:
    file = tmp_path / "tools.json"
    file.write_text(content)
    done = cli("chat", "-m", "tiny/echo", "--tools", str(file), "--json", "hi")
    assert done.status == 2
    assert done.json["error"]["code"] == "usage"
    assert tiny.seen == []


def test_images_by_their_bytes(cli: Cli, tiny: Wire, tmp_path: Path) -> None:
    image = tmp_path / "picture.dat"
    image.write_bytes(PNG)
    assert cli("chat", "-m", "tiny/echo", "--image", str(image), "what is it?").status == 0
    assert "data:image/png;base64," in json.dumps(tiny.seen[-1])
    image.write_bytes(b"no image")
    assert cli("chat", "-m", "tiny/echo", "--image", str(image), "hi").status == 2
    assert cli("chat", "-m", "tiny/echo", "--image", str(tmp_path / "none"), "hi").status == 2
    with image.open("wb") as file:
        file.write(PNG)
        file.truncate(21 * 1024 * 1024)
    assert cli("chat", "-m", "tiny/echo", "--image", str(image), "hi").status == 2


def test_prompts(cli: Cli, tiny: Wire) -> None:
    assert cli("chat", "-m", "tiny/echo", stdin="from a pipe żółć\n").status == 0
    assert tiny.seen[-1]["messages"][-1]["content"] == "from a pipe żółć"
    assert (
        cli(
            "chat",
            "-m",
            "tiny/echo",
            "--system",
            "be brief",
            "--max-tokens",
            "7",
            "--temperature",
            "0.5",
            "-",
        ).status
        == 2
    )
    assert (
        cli(
            "chat",
            "-m",
            "tiny/echo",
            "--system",
            "be brief",
            "--max-tokens",
            "7",
            "--temperature",
            "0.5",
            "hi",
        ).status
        == 0
    )
    sent = tiny.seen[-1]
    assert sent["messages"][0]["content"] == "be brief"
    assert (sent["max_tokens"], sent["temperature"]) == (7, 0.5)
    huge = "x" * 3_000_000
    assert cli("chat", "-m", "tiny/echo", stdin=huge).status == 0
    assert tiny.seen[-1]["messages"][-1]["content"] == huge


@pytest.mark.parametrize("stdin", [b"", b"\n", b"  \n", b"\xff\xfe\xfd"])
def test_no_prompt_is_2(cli: Cli, tiny: Wire, stdin: bytes) -> None:
    assert cli("chat", "-m", "tiny/echo", stdin=stdin).status == 2
    assert tiny.seen == []


@pytest.mark.parametrize("wrong", [["--json", "--jsonl"], ["--max-tokens", "0"], ["--temperature", "hot"], ["--retries", "-1"], ["--timeout", "0"], ["--label", "x"], ["-m", "noslash"]])  # fmt: skip
def test_wrong_options_are_2(cli: Cli, tiny: Wire, wrong: list[str]) -> None:
    assert cli("chat", "-m", "tiny/echo", *wrong, "hi").status == 2
    assert tiny.seen == []


def test_the_default_model(cli: Cli, tiny: Wire) -> None:
    assert cli("chat", "--json", "hi").json["error"]["code"] == "usage"
    assert cli("models", "default", "tiny/echo").status == 0
    assert cli("models", "default", "--json").json == {"default": "tiny/echo"}
    assert cli("chat", "--json", "hi").json["model"] == "tiny/echo"


def test_no_such_provider_is_6(cli: Cli) -> None:
    done = cli("chat", "-m", "nobody/x", "--json", "hi")
    assert done.status == 6
    assert set(done.json) == {"error"}
    assert done.json["error"]["code"] == "not_found"
    lines = cli("chat", "-m", "nobody/x", "--jsonl", "hi").out.splitlines()
    assert [json.loads(line)["error"]["code"] for line in lines] == ["not_found"]


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("nowhere", 5, "model_unavailable"),
        ("long", 5, "context_too_long"),
        ("broke", 5, "no_credit"),
        ("forbidden", 4, "permission"),
        ("policy", 5, "content_filtered"),
        ("down", 5, "unexpected_response"),
        ("cut", 5, "interrupted"),
    ],
)
def test_each_failure_has_its_status_and_the_document_with_error(
    cli: Cli, tiny: Wire, model: str, status: int, code: str
) -> None:
    done = cli("chat", "-m", f"tiny/{model}", "--json", "hi")
    assert done.status == status
    assert set(done.json) - {"note"} == DOCUMENT | {"error"}
    assert set(done.json["error"]) == ERROR
    assert done.json["error"]["code"] == code
    assert done.json["state"] == ("interrupted" if model == "cut" else "failed")
    assert done.json["attempts"][-1]["error"]["code"] == code
    assert len(done.err.splitlines()) == 1


def test_a_wrong_key_is_4(cli: Cli, tiny: Wire) -> None:
    tiny.key = KEY
    done = cli("chat", "-m", "tiny/echo", "--json", "hi")
    assert done.status == 4
    assert done.json["error"]["code"] == "invalid_credentials"
    assert len(cli("chat", "-m", "tiny/echo", "hi").err.splitlines()) == 1


def test_an_answer_stopped_by_a_filter_is_0(cli: Cli, tiny: Wire) -> None:
    done = cli("chat", "-m", "tiny/filtered", "--json", "hi")
    assert done.status == 0
    assert done.json["finish_reason"] == "content_filter"


def test_the_log_names_each_request_and_nothing_secret(
    cli: Cli, tiny: Wire, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_LOG_LEVEL", "info")
    monkeypatch.setenv("TINY_KEY", KEY)
    tiny.key = KEY
    assert cli("keys", "set", "tiny", "--key-env", "TINY_KEY").status == 0
    done = cli("chat", "-m", "tiny/echo", "--json", "hi")
    assert done.json["text"] == "Hello, world"
    assert done.err == ""
    log = (home / "logs" / "switchroom.log").read_text()
    assert re.search(rf"POST {re.escape(tiny.url)}/chat/completions: 200 in \d+ ms", log)
    assert KEY not in log


def test_retries_are_told_on_standard_error(cli: Cli, tiny: Wire, home: Path) -> None:
    (home / "config" / "config.toml").write_text("[retry]\ninitial_delay = 0.01\njitter = 0\n")
    done = cli("chat", "-m", "tiny/down", "--retries", "2", "hi")
    assert done.status == 5
    assert len(tiny.seen) == 3
    assert [line.partition(" in ")[0] for line in done.err.splitlines()[:2]] == ["Attempt 2", "Attempt 3"]
    events = [
        json.loads(line)
        for line in cli("chat", "-m", "tiny/down", "--retries", "1", "--jsonl", "hi").out.splitlines()
    ]
    retry = next(event for event in events if event["event"] == "retry")
    assert retry["attempt"] == 2
    assert set(retry["error"]) == ERROR
    assert len(events[-1]["attempts"]) == 2


def test_plain_text_is_exact_in_a_pipe_and_json_cannot_steer_a_terminal(cli: Cli, tiny: Wire) -> None:
    plain = cli("chat", "-m", "tiny/hostile", "hi")
    assert plain.out == HOSTILE
    assert "12 in" in plain.err
    for flag in ("--json", "--jsonl"):
        done = cli("chat", "-m", "tiny/hostile", flag, "hi")
        assert not {"\x1b", "\x9b", "\u202e"} & set(done.out)
        assert json.loads(done.out.splitlines()[-1] if flag == "--jsonl" else done.out)["text"] == HOSTILE


def test_a_price_makes_a_cost_and_a_budget_refuses(cli: Cli, priced: Wire) -> None:
    done = cli("chat", "-m", "paid/gpt-4o", "--json", "--label", "team=a", "hi")
    assert done.status == 0, done.err
    assert done.json["cost_grade"] == "computed"
    assert Decimal(done.json["cost_usd"]) == Decimal("0.00008")
    assert done.json["cost_usd"] == "0.000080000"
    assert "$0.000080 computed" in cli("chat", "-m", "paid/gpt-4o", "hi").err
    assert cli("budget", "set", "--provider", "paid", "--daily", "0.00017").status == 0
    refused = cli("chat", "-m", "paid/gpt-4o", "--json", "hi")
    assert refused.status == 3
    assert set(refused.json) == {"error"}
    assert refused.json["error"]["code"] == "budget"
    assert len(priced.seen) == 2


def test_an_unknown_price_under_a_limit_needs_a_word(cli: Cli, priced: Wire) -> None:
    assert cli("budget", "set", "--monthly", "5").status == 0
    refused = cli("chat", "-m", "paid/echo", "--json", "hi")
    assert refused.status == 3
    assert refused.json["error"]["code"] == "unpriced"
    done = cli("chat", "-m", "paid/echo", "--json", "--allow-unpriced", "hi")
    assert done.status == 0, done.err
    assert (done.json["cost_usd"], done.json["cost_grade"]) == (None, "unknown")


def test_read_only_sends_nothing(cli: Cli, tiny: Wire) -> None:
    done = cli("chat", "-m", "tiny/echo", "--read-only", "--json", "hi")
    assert done.status == 3
    assert done.json["error"]["code"] == "read_only"
    assert tiny.seen == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_and_it_is_settled(
    cli: Cli, tiny: Wire, home: Path, number: signal.Signals
) -> None:
    process = program(home, "chat", "-m", "tiny/slow", "--jsonl", "hi")
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == "text":
            break
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    document = json.loads(out.splitlines()[-1])
    assert (document["event"], document["state"]) == ("finished", "cancelled")
    assert document["text"].startswith("Hello")
    assert document["usage"]["output"] > 0
    assert b"Traceback" not in err
    assert tiny.closed.wait(10)
    total = cli("usage", "--json").json["total"]
    assert total["runs"] == 1
    assert total["output"] > 0


def test_a_reader_that_goes_away_ends_it_quietly(cli: Cli, tiny: Wire, home: Path) -> None:
    process = program(home, "chat", "-m", "tiny/slow", "hi")
    assert process.stdout is not None
    assert process.stdout.read(5) == b"Hello"
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.wait(20)
    assert b"Traceback" not in err
    assert b"Broken" not in err
    assert tiny.closed.wait(10)
    assert cli("usage", "--json").json["total"]["runs"] == 1


def test_ctrl_c_again_and_again_ends_it_even_when_nobody_reads(tiny: Wire, home: Path) -> None:
    process = program(home, "chat", "-m", "tiny/flood", "hi", stderr=subprocess.DEVNULL)
    _wait_until_it_waits_for_a_pipe(process.pid)
    for _ in range(100):
        process.send_signal(signal.SIGINT)
        try:
            process.wait(0.2)
            break
        except subprocess.TimeoutExpired:
            continue
    assert process.returncode == 130
    assert process.stdout is not None
    process.stdout.close()


def test_a_closed_pipe_under_a_table_is_quiet(home: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    process = program(home, "catalog", "show", "openai", "--json", stdout=write)
    os.close(write)
    _, err = process.communicate(timeout=20)
    assert err == b""


def test_on_a_terminal_the_answer_cannot_steer_it(tiny: Wire, home: Path) -> None:
    leader, follower = pty.openpty()
    settings = termios.tcgetattr(follower)
    settings[1] &= ~termios.OPOST
    termios.tcsetattr(follower, termios.TCSANOW, settings)
    process = program(home, "chat", "-m", "tiny/hostile", "hi", stdout=follower, stderr=subprocess.DEVNULL)
    assert process.wait(20) == 0
    os.close(follower)
    fcntl.fcntl(leader, fcntl.F_SETFL, os.O_NONBLOCK)
    assert os.read(leader, 4096).decode() == "a␛[31mb\ufffd2Jcd\n"
    os.close(leader)


def test_ctrl_c_before_anything_was_sent_is_130(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "chat", "-m", "x/y", "--json"],
        cwd=ROOT,
        env={**os.environ, "SWITCHROOM_HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    _wait_until_it_waits_for_a_pipe(process.pid)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert json.loads(out)["error"]["code"] == "interrupted"
    assert b"Traceback" not in err


def _wait_until_it_waits_for_a_pipe(pid: int) -> None:
    """Until the process sleeps in a read from, or a write to, a pipe."""
    import time

    for _ in range(2000):
        try:
            channel = Path(f"/proc/{pid}/wchan").read_text()
        except OSError:
            channel = ""
        if "pipe" in channel:
            return
        time.sleep(0.01)
    pytest.skip("this system does not tell what a process waits for")


def test_python_m_and_the_installed_command_are_one(home: Path) -> None:
    process = program(home, "offline", "status", "--json")
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert json.loads(out)["offline"] is False
