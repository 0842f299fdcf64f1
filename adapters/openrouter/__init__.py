"""The `openrouter` dialect."""

from adapters.openrouter.adapter import OpenRouterAdapter

__all__ = ["OpenRouterAdapter"]
