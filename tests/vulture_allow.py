"""Names that are used from outside: by Textual, pytest, or the contract of later issues."""

# adapters: what every dialect may tell (signatures come with Anthropic), what httpx and the loader call by name
thinking_signature, signature, Collected, finished, auth_flow, FakeAdapter  # noqa: B018, F821
