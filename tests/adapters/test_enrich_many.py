"""What a server says more of thousands of models is read beside the screen, and a broken answer leaves the list."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from adapters.base import RemoteModel
from adapters.openai.enrich import Extra, enriched
from adapters.openai.enrich_litellm import read_litellm

MODELS = [RemoteModel(id=f"m{number}") for number in range(2_000)]
ANSWER = {"data": [{"model_name": f"m{number}", "model_info": {"max_output_tokens": number + 1}} for number in range(2_000)]}  # fmt: skip


async def test_many_are_read_in_a_thread() -> None:
    readers = []

    def read(answer: object, models: Sequence[RemoteModel]) -> Mapping[str, RemoteModel]:
        readers.append(threading.current_thread())
        return read_litellm(answer, models)

    async def get(_url: str) -> object:
        return ANSWER

    found = await enriched(Extra(("/model/info",), read), get, "http://127.0.0.1/v1/models", MODELS)
    assert [model.max_output for model in found] == list(range(1, 2_001))
    assert readers[0] is not threading.main_thread()


async def test_a_broken_answer_about_many_leaves_the_list_marked() -> None:
    async def get(_url: str) -> object:
        return {"data": "nothing of the kind"}

    found = await enriched(Extra(("/model/info",), read_litellm), get, "http://127.0.0.1/v1/models", MODELS)
    assert [model.id for model in found] == [model.id for model in MODELS]
    assert all(model.partial for model in found)
