"""Azure OpenAI: deployments by either form of address, with a key or a sign-in."""

from adapters.azure.adapter import AzureAdapter

__all__ = ["AzureAdapter"]
