"""The `anthropic` dialect."""

from adapters.anthropic.adapter import AnthropicAdapter

__all__ = ["AnthropicAdapter"]
