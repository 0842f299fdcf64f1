"""How a code block is coloured: one line at a time with the lexer's state carried, so that a finished line never changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any

from tui.widgets.markdown_wrap import Span

State = tuple[str, ...]
"""The lexer's stack of states after a line."""

LONGEST = 400
"""Characters of a line up to which it is coloured; longer ones are data."""

_KINDS = {
    "Token.Comment": "comment",
    "Token.Keyword": "keyword",
    "Token.Literal.String": "string",
    "Token.Literal.Number": "number",
    "Token.Name.Function": "function",
    "Token.Name.Class": "function",
    "Token.Name.Decorator": "function",
    "Token.Name.Builtin": "builtin",
    "Token.Name.Tag": "keyword",
    "Token.Name.Attribute": "function",
    "Token.Name.Constant": "number",
    "Token.Operator.Word": "keyword",
    "Token.Generic.Inserted": "string",
    "Token.Generic.Deleted": "deleted",
    "Token.Generic.Heading": "keyword",
    "Token.Generic.Subheading": "keyword",
    "Token.Generic.Prompt": "comment",
}


@lru_cache(maxsize=64)
def lexer_for(language: str) -> Any:
    """The lexer of a fence's first word, or None where there is none that works line by line."""
    word = re.split(r"[\s,{:]", language.strip().lower(), maxsplit=1)[0]
    if not word or word in {"text", "plain", "plaintext", "txt", "output", "none"}:
        return None
    lexers = import_module("pygments.lexers")
    lexer_base = import_module("pygments.lexer")
    try:
        lexer = lexers.get_lexer_by_name(word)
    except Exception:  # noqa: BLE001  an unknown or broken lexer means: no colours
        return None
    plain_regex = isinstance(lexer, lexer_base.RegexLexer) and not isinstance(
        lexer, lexer_base.ExtendedRegexLexer
    )
    return lexer if plain_regex else None


def warm() -> None:
    """Load what the usual languages need (0.2 s), in a thread, while the first answer is waited for."""
    for language in ("python", "json", "bash"):
        coloured(language, "", ())


@lru_cache(maxsize=8192)
def coloured(language: str, line: str, state: State) -> tuple[tuple[Span, ...], State]:
    """One line of code as spans (styles `code` and `code KIND`), and the state for the next line."""
    lexer = lexer_for(language)
    if lexer is None or len(line) > LONGEST:
        return ((line, "codeblock"),), state
    stack = list(state or ("root",))
    out: list[list[str]] = []
    try:
        for kind, text in _tokens(lexer, line + "\n", stack):
            style = _style(kind)
            if out and (out[-1][1] == style or text.isspace()):
                out[-1][0] += text
            else:
                out.append([text, style])
    except Exception:  # noqa: BLE001  a lexer that trips over a piece of text must not stop the answer
        return ((line, "codeblock"),), state
    spans = tuple((text.rstrip("\n"), style) for text, style in out if text.rstrip("\n"))
    if "".join(text for text, _ in spans) != line:
        return ((line, "codeblock"),), state
    return spans, tuple(stack[-12:])


@lru_cache(maxsize=512)
def _style(kind: Any) -> str:
    while kind is not None:
        name = _KINDS.get(str(kind))
        if name is not None:
            return f"codeblock {name}"
        kind = kind.parent
    return "codeblock"


def _tokens(lexer: Any, text: str, stack: list[str]) -> Iterator[tuple[Any, str]]:
    """The lexer's own loop over its rules (pygments.lexer.RegexLexer), with the stack kept for the next line."""
    definitions = lexer._tokens  # noqa: SLF001  the compiled rules; the public loop does not give its state back
    token = import_module("pygments.token")
    at = 0
    rules = definitions[stack[-1]]
    while at < len(text):
        for match_at, action, new_state in rules:
            match = match_at(text, at)
            if match is None:
                continue
            if action is not None:
                if type(action) is token._TokenType:  # noqa: SLF001
                    yield action, match.group()
                else:
                    for _, kind, piece in action(lexer, match):
                        yield kind, piece
            at = match.end()
            if new_state is not None:
                _move(stack, new_state)
                rules = definitions[stack[-1]]
            break
        else:
            if text[at] == "\n":
                stack[:] = ["root"]
                rules = definitions["root"]
            yield token.Text, text[at]
            at += 1


def _move(stack: list[str], new_state: Any) -> None:
    if isinstance(new_state, tuple):
        for state in new_state:
            if state == "#pop":
                if len(stack) > 1:
                    stack.pop()
            elif state == "#push":
                stack.append(stack[-1])
            else:
                stack.append(state)
    elif isinstance(new_state, int):
        if abs(new_state) >= len(stack):
            del stack[1:]
        else:
            del stack[new_state:]
    elif new_state == "#push":
        stack.append(stack[-1])
