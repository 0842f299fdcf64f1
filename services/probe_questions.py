"""What a model is asked to find out what it can do: a small fixed question for each ability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.events import Image, Message, ToolSpec
from services.probe_picture import squares
from services.ratios import PromptSize, prompt_size
from services.run_events import RunRequest

MAX_TOKENS = 1_024
"""Room for a thinking model to come to its answer; the others use a few dozen."""

TOOL = ToolSpec(
    "get_weather",
    "The weather in a city now.",
    {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "The name of the city"}},
        "required": ["city"],
        "additionalProperties": False,
    },
)
SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {"planet": {"type": "string"}, "letters_in_its_name": {"type": "integer"}},
    "required": ["planet", "letters_in_its_name"],
    "additionalProperties": False,
}
"""The question does not mention it: only a server that passes it on, to a model that keeps to it, answers so."""


@dataclass(frozen=True, slots=True)
class Question:
    """How one ability is asked for."""

    words: str
    """What happens, for a person who is about to pay for it."""
    prompt: str
    images: tuple[Image, ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    schema: Mapping[str, object] | None = None
    likely: int = 40
    """Tokens of a usual answer."""

    @property
    def message(self) -> Message:
        return Message("user", self.prompt, images=self.images)

    @property
    def size(self) -> PromptSize:
        """What is sent."""
        return prompt_size((self.message,), None, self.tools, self.schema)


def question(capability: str) -> Question:
    """The question for one of catalog.capabilities.PROBED."""
    return _QUESTIONS[capability]


def request(
    ref: str,
    capability: str,
    *,
    effort: str | None = None,
    allow_unpriced: bool = False,
    retries: int | None = None,
    timeout_s: float | None = None,
) -> RunRequest:
    """One question as a run of its own, told apart in Usage by its caller, and in no conversation."""
    asked = question(capability)
    return RunRequest(
        model=ref,
        messages=(asked.message,),
        max_tokens=MAX_TOKENS,
        reasoning_effort=effort,
        tools=asked.tools,
        json_schema=asked.schema,
        caller="probe",
        allow_unpriced=allow_unpriced,
        retries=retries,
        timeout_s=timeout_s,
    )


_QUESTIONS: Mapping[str, Question] = {
    "tools": Question(
        "offers a tool, looks whether it is called rightly",
        "What is the weather in Paris now? Use the tool.",
        tools=(TOOL,),
    ),
    "vision": Question(
        "shows four coloured squares, asks for their order",
        "The picture shows four squares side by side. Name their colours from left to right: four words, nothing else.",
        images=(squares(),),
        likely=15,
    ),
    "json": Question(
        "wants an answer of a JSON schema, and compares",
        "Which planet of our sun is the largest?",
        schema=SCHEMA,
        likely=25,
    ),
    "reasoning": Question(
        "asks a puzzle, looks for thinking; if none, with effort",
        "A snail climbs a 10 m wall: 3 m up each day, 2 m down each night. On which day is it at the top? Answer with the number.",
        likely=400,
    ),
}
