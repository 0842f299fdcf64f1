"""The `gemini` dialect."""

from adapters.gemini.adapter import GeminiAdapter

__all__ = ["GeminiAdapter"]
