"""Translation and speech recognition as a person asks for them: languages by name, recordings by path, one run each."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from catalog.languages import language_code
from catalog.plaintext import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.abilities import Transcribe, Translate
    from services.run_events import RunRequest

MOST_AUDIO = 25 * 1024 * 1024
"""Bytes of a recording."""
MOST_TEXT = 200_000
"""Characters of a text."""
_TYPES = {
    "flac": "audio/flac", "wav": "audio/wav", "mp3": "audio/mpeg", "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/ogg",
    "m4a": "audio/m4a", "mp4": "audio/m4a", "webm": "audio/webm", "amr": "audio/AMR",
}  # fmt: skip
"""Endings of files → types, as the inference router takes them."""


def translation(
    ref: str, text: str, source: str | None, target: str | None, *, caller: str, allow_unpriced: bool = False,
    labels: Mapping[str, str] | None = None, timeout_s: float | None = None, retries: int | None = None,
) -> RunRequest:  # fmt: skip
    """The run that translates a text. UsageError for languages the model cannot have."""
    from adapters.abilities import Translate

    if not text.strip():
        raise UsageError(
            "There is no text to translate.", hint="Give it as an argument or on standard input."
        )
    if len(text) > MOST_TEXT:
        raise UsageError(f"The text has {len(text):,} characters; {MOST_TEXT:,} can be translated at once.")
    model = model_of(ref)
    task = Translate(text, language_code(model, source, "source"), language_code(model, target, "target"))
    return _request(ref, task, caller, allow_unpriced, labels, timeout_s, retries)


def transcription(
    ref: str, path: Path, *, caller: str, allow_unpriced: bool = False, labels: Mapping[str, str] | None = None,
    timeout_s: float | None = None, retries: int | None = None,
) -> RunRequest:  # fmt: skip
    """The run that writes down a recording. Reads the file: for a thread where a screen waits."""
    return _request(ref, recording(path), caller, allow_unpriced, labels, timeout_s, retries)


def _request(
    ref: str, task: Translate | Transcribe, caller: str, allow_unpriced: bool, labels: Mapping[str, str] | None,
    timeout_s: float | None, retries: int | None,
) -> RunRequest:  # fmt: skip
    from services.run_events import RunRequest

    return RunRequest(
        model=ref,
        messages=(),
        task=task,
        stream=False,
        labels=labels or {},
        caller=caller,
        allow_unpriced=allow_unpriced,
        timeout_s=timeout_s,
        retries=retries,
        headless=caller == "cli",
    )


def model_of(ref: str) -> str:
    """`facebook/nllb-200-distilled-600M` of `hf/facebook/nllb-200-distilled-600M`."""
    slug, _, model = ref.partition("/")
    if not slug or not model:
        raise UsageError(
            f"{one_line(ref, 60) or 'An empty text'} names no model.",
            hint="A model is named PROVIDER/MODEL, such as hf/facebook/nllb-200-distilled-600M.",
        )
    return model


def recording(path: Path) -> Transcribe:
    """A sound file, its type told from its bytes, else from its ending. UsageError for what cannot be one."""
    from adapters.abilities import Transcribe

    shown = one_line(str(path), 120)
    try:
        path = path.expanduser()
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise UsageError(f"{shown} is no ordinary file.")
        if facts.st_size > MOST_AUDIO:
            raise UsageError(
                f"{shown} has {facts.st_size / 1e6:,.1f} MB; at most {MOST_AUDIO / 1e6:,.0f} MB can be sent.",
                hint="Cut the recording, or store it as FLAC, Opus or MP3.",
            )
        with path.open("rb") as file:
            audio = file.read(MOST_AUDIO + 1)
    except OSError as problem:
        raise UsageError(f"{shown} cannot be read: {problem.strerror}.") from None
    except (RuntimeError, ValueError):  # the home of nobody; a null character
        raise UsageError(f"{shown} is no path of a file.") from None
    if not audio:
        raise UsageError(f"{shown} is empty.")
    if len(audio) > MOST_AUDIO:
        raise UsageError(f"{shown} grows while it is read.")
    found = _by_bytes(audio) or _TYPES.get(path.suffix.lower().lstrip("."))
    if found is None:
        raise UsageError(
            f"{shown} is no sound file that is known.", hint=f"Taken are: {', '.join(sorted(_TYPES))}."
        )
    return Transcribe(audio, found)


def _by_bytes(audio: bytes) -> str | None:
    head = audio[:16]
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return _TYPES["wav"]
    if head[4:8] == b"ftyp":
        return _TYPES["m4a"]
    if head[:2] in (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"):
        return _TYPES["mp3"]
    starts = {b"fLaC": "flac", b"OggS": "ogg", b"ID3": "mp3", b"\x1a\x45\xdf\xa3": "webm", b"#!AMR": "amr"}
    return next((_TYPES[kind] for start, kind in starts.items() if head.startswith(start)), None)
