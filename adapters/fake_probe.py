"""What the scripted models answer when they are asked what they can do: as their own list of abilities says."""

from __future__ import annotations

from adapters.events import ChatRequest, ToolCall
from adapters.fake_play import Answer, FakeModel

_THOUGHT = "Each day it gains one metre, and on the last day it does not slip back."


def probe_answer(request: ChatRequest, model: FakeModel) -> Answer | None:
    """The answer to one of the small fixed questions of a probe; None: it is another question."""
    prompt = request.messages[-1].text if request.messages else ""
    able = model.capabilities or ()
    if request.json_schema is not None and "planet" in prompt:
        fits = "json" in able
        return Answer('{"planet": "Jupiter", "letters_in_its_name": 7}' if fits else "That is Jupiter.")
    if request.tools and prompt.startswith("What is the weather in Paris now?"):
        if "tools" in able:
            return Answer("", calls=(ToolCall("call_probe_1", request.tools[0].name, '{"city": "Paris"}'),))
        return Answer("I cannot look out of the window.")
    if request.messages and request.messages[-1].images and "four squares" in prompt:
        return Answer("blue, yellow, red, green" if "vision" in able else "I cannot see pictures.")
    if "snail" in prompt:
        return Answer("8", thinking=_THOUGHT)
    return None
