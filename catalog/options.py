"""The options of each dialect (`--option NAME=VALUE`): what they mean and which values they take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from catalog.errors import UsageError
from catalog.plaintext import one_line

_GLOBS = r"[^,\s]+(?:,[^,\s]+)*"


@dataclass(frozen=True, slots=True)
class Option:
    """One option: a sentence for a person, and the values that are taken (a regular expression)."""

    means: str
    takes: str = r".+"
    such_as: str = ""
    """A value that shows the shape."""


_OPENAI = {
    "api": Option("Which form is spoken: chat completions, or responses.", "chat|responses", "responses"),
    "responses_for": Option("The models that are asked by responses; * stands for anything.", _GLOBS, "o3-pro,gpt-5*-codex"),
    "organization": Option("The organization that is billed.", such_as="org-…"),
    "project": Option("The project that is billed.", such_as="proj_…"),
    "max_tokens_field": Option("How the limit of an answer is called.", "max_tokens|max_completion_tokens", "max_completion_tokens"),
    "think_tags": Option("Reasoning stands in <think> tags in the answer; implied: without the first tag.", "on|implied", "on"),
    "reasoning_field": Option("Under which name reasoning is sent back.", r"[a-z_]{1,40}", "reasoning_content"),
    "stream_options": Option("no: do not ask for usage in streams.", "no", "no"),
    "version_segment": Option("none: the address has no /v1.", "none", "none"),
    "seed_field": Option("How the seed is called.", r"[a-z_]{1,40}", "random_seed"),
    "required_word": Option("How it is said that a tool must be called.", r"[a-z_]{1,40}", "any"),
    "extra_body": Option("Fields that every chat has besides, as a JSON object.", r"\{.*\}", '{"top_k":20}'),
}  # fmt: skip

_OPENROUTER = {
    "models": Option("The models that are asked in this order when the one asked for does not answer.", _GLOBS, "openai/gpt-4o,qwen/qwen3-30b-a3b"),
    "provider_order": Option("The hosts that are tried first, in this order.", _GLOBS, "anthropic,amazon-bedrock"),
    "provider_only": Option("The only hosts that may answer.", _GLOBS, "openai,azure"),
    "provider_ignore": Option("The hosts that may not answer.", _GLOBS, "deepinfra"),
    "provider_sort": Option("What the host is chosen by.", "price|throughput|latency", "price"),
    "allow_fallbacks": Option("no: only the first host is asked.", "yes|no", "no"),
    "require_parameters": Option("yes: only hosts that know every parameter sent.", "yes|no", "yes"),
    "data_collection": Option("deny: only hosts that do not keep what is sent.", "allow|deny", "deny"),
    "zero_retention": Option("yes: only hosts that keep nothing at all.", "yes|no", "yes"),
    "quantizations": Option("The only precisions of weights that are taken.", _GLOBS, "fp8,bf16"),
    "site_url": Option("The address that OpenRouter lists requests under (HTTP-Referer).", r"https?://\S+", "https://example.org"),
    "app_title": Option("The name that OpenRouter lists requests under (X-OpenRouter-Title).", r"[ -~]{1,80}", "My tools"),
    "extra_body": _OPENAI["extra_body"],
}  # fmt: skip

_AZURE = {
    "api_version": Option("Which form of the address: a date is the classic one, with deployments in the path; v1 the newer one.", r"v1|\d{4}-\d{2}-\d{2}(?:-preview)?", "2024-10-21"),
    "deployment": Option("The names of your deployments: what can be chatted with.", _GLOBS, "chat-prod,mini"),
    "auth": Option("How one signs in: with a key, a bearer token as the key, or Microsoft Entra ID.", "key|token|entra", "entra"),
    "tenant": Option("The directory of your organization in Entra ID: its id or its domain.", r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}", "contoso.onmicrosoft.com"),
    "client_id": Option("The application that signs in, by its id in Entra ID.", r"[A-Za-z0-9-]{1,64}", "11111111-2222-3333-4444-555555555555"),
    "authority": Option("Where one signs in, for clouds of their own.", r"https?://[^\s?#@]+", "https://login.microsoftonline.us"),
    "scope": Option("What a token is asked for, for clouds of their own.", r"[^\s]{1,200}", "https://cognitiveservices.azure.us/.default"),
    "api": _OPENAI["api"],
    "responses_for": _OPENAI["responses_for"],
    "max_tokens_field": _OPENAI["max_tokens_field"],
    "stream_options": _OPENAI["stream_options"],
}  # fmt: skip

_ANTHROPIC = {
    "api_version": Option("The version of the API; none: the newest, and the old one for temperature and top_p.", r"\d{4}-\d{2}-\d{2}", "2023-06-01"),
    "auth": Option("How the key goes along.", "bearer|x-api-key", "bearer"),
    "beta": Option("Features in trial that are switched on (the header anthropic-beta).", _GLOBS, "context-1m-2025-08-07"),
    "workspace": Option("The workspace that is billed (the header anthropic-workspace-id).", such_as="wrkspc_…"),
}  # fmt: skip

_GEMINI = {
    "thoughts": Option("no: do not ask for reasoning to be told.", "no", "no"),
    "safety": Option("From what risk on the content filters stop an answer.", "OFF|BLOCK_NONE|BLOCK_ONLY_HIGH|BLOCK_MEDIUM_AND_ABOVE|BLOCK_LOW_AND_ABOVE", "BLOCK_ONLY_HIGH"),
}  # fmt: skip

_OLLAMA = {
    "num_ctx": Option("Tokens that a model is loaded for: prompt and answer together.", r"[1-9]\d{0,8}", "16384"),
    "num_gpu": Option("How many layers of a model go to the graphics card; 0: none.", r"-1|\d{1,5}", "35"),
    "gpu_layers": Option("The same as num_gpu.", r"-1|\d{1,5}", "35"),
    "keep_alive": Option("How long a model stays loaded after an answer; 0: not at all, -1: for ever.", r"-?\d{1,9}|(?:\d+(?:\.\d+)?(?:ms|s|m|h))+", "30m"),
    "truncate": Option("What becomes of a prompt that does not fit: no: it is an error, yes: its beginning is left out.", "yes|no", "no"),
}  # fmt: skip

_HUGGINGFACE = {
    "bill_to": Option("The organization that pays for what the router is asked (X-HF-Bill-To).", r"[A-Za-z0-9][\w.-]{0,95}", "my-team"),
    "hub": Option("Where the hub is, for mirrors and copies of it; otherwise HF_ENDPOINT, or huggingface.co.", r"https?://[^\s?#@]+", "https://hub.example.org"),
    "tasks": Option("endpoint: the address is one model's own, so tasks are sent to it as they are.", "router|endpoint", "endpoint"),
    "think_tags": _OPENAI["think_tags"],
    "extra_body": _OPENAI["extra_body"],
}  # fmt: skip

OPTIONS: Mapping[str, Mapping[str, Option]] = {
    "huggingface": _HUGGINGFACE,
    "ollama": _OLLAMA,
    "anthropic": _ANTHROPIC,
    "openai": _OPENAI,
    "azure": _AZURE,
    "openrouter": _OPENROUTER,
    "gemini": _GEMINI,
}
"""Dialect → its options by name."""


def said_by_address(dialect: str, url: str | None) -> dict[str, str]:
    """The options that a pasted address says beside where it is: Azure's portal gives `…?api-version=DATE`."""
    if dialect != "azure" or not url:
        return {}
    try:
        version = dict(parse_qsl(urlsplit(url.strip()).query)).get("api-version", "")
    except ValueError:
        return {}
    return {"api_version": version} if re.fullmatch(_AZURE["api_version"].takes, version) else {}


EVERYWHERE: Mapping[str, Option] = {
    "account": Option(
        "Whose account API the address passes on, where the address itself does not tell.",
        "openai|anthropic|openrouter|deepseek|litellm|huggingface", "litellm",
    ),
}  # fmt: skip
"""Options of every dialect."""

STEERS = frozenset({"auth", "tenant", "client_id", "authority", "scope", "hub", "account"})
"""Options that decide to which further address a secret goes, or what it opens: no file says them of a provider whose
secrets are here, and no vendor of the catalog has them."""


def check_option(dialect: str, name: str, value: str, declared: Mapping[str, Option] | None = None) -> None:
    """Raise UsageError for a name that no dialect has, or a value that this dialect does not take.

    A dialect that is not ours (a plug-in's, the scripted one's) takes what it has `declared`, or anything.
    """
    if dialect not in OPTIONS and not declared:
        return
    options = declared or OPTIONS.get(dialect, {})
    known = {*EVERYWHERE, *(declared or (one for theirs in OPTIONS.values() for one in theirs))}
    if name not in known:
        import difflib

        close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
        names = ", ".join(sorted(options or known))
        raise UsageError(
            f"There is no option {one_line(name, 40)}.",
            hint=f"Did you mean {close[0]}?" if close else f"There are: {names}.",
        )
    option = options.get(name) or EVERYWHERE.get(name)
    if option is not None and re.fullmatch(option.takes, value) is None:
        raise UsageError(
            f"The option {name} cannot be {one_line(value, 40)}.",
            hint=f"{option.means} For example {name}={option.such_as}." if option.such_as else option.means,
        )
