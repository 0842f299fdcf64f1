"""The `openai` dialect."""

from adapters.openai.adapter import OpenAIAdapter

__all__ = ["OpenAIAdapter"]
