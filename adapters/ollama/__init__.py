"""The `ollama` dialect: Ollama's own API, on this machine, in a network or in its cloud."""

from adapters.ollama.adapter import OllamaAdapter

__all__ = ["OllamaAdapter"]
