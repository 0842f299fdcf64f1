"""The `huggingface` dialect: the router's chat, tasks, the hub's search, and the cache of models on this machine."""

from adapters.huggingface.adapter import HuggingFaceAdapter

__all__ = ["HuggingFaceAdapter"]
