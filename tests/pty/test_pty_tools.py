"""The keys with which tools are chosen and images attached in Chat, and a dragged image, as raw bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pty_stage import ESC, go, key, program, walk

STEPS = (
    go("6", "Chat ·", "Ask something"),
    go(b"\x14", "Which model?"),
    go("gpt-6-luna", on="gpt-6-luna"),
    go("\r", "openai-prod/gpt-6-luna ▾", gone="Which model?"),
    key("chat.tools", "f3", "Which tools may the model call?", "weather-by-hand"),
    go("weather", on="1 mock"),
    go("\r", "1 tool", gone="Which tools"),
    key("chat.attach", "f5", "Attach an image", "~/picture.png"),
    go("/dev/zero\r", "no ordinary file"),
    go(ESC, gone="Attach an image"),
)


def test_the_keys_of_tools_and_images(copied_home: Callable[[], Path], tmp_path: Path) -> None:
    cat = tmp_path / "a cat.png"
    cat.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 3000)
    dragged = b"\x1b[200~" + str(cat).replace(" ", "\\ ").encode() + b" \x1b[201~"
    sent = (
        go(dragged, "Attach a cat.png?", "paste as text"),
        go("y", "▪ a cat.png PNG · 3 KB", "F5 changes", gone="Attach a cat.png?"),
        go("weather in Kraków", "weather in Kraków"),
        go("\r", "result of get_weather  mocked", "early tram", gone="F5 changes"),
        go("", "est.", gone="esc stop"),
        go("\x1b[5~", "▪ a cat.png  PNG · 3 KB"),
    )
    with program("tools", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, (*STEPS, *sent))
