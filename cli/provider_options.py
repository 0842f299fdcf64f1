"""The options that `providers add` and `providers edit` share, and the draft that they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from pydantic import SecretStr

    from services.drafts import ProviderDraft

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class GivenOptions:
    """The options of `add` and `edit` as click hands them over; None or empty: not given."""

    kind: str | None
    url: str | None
    name: str | None
    region: str | None
    label: tuple[str, ...]
    header: tuple[str, ...]
    secret_header: tuple[str, ...]
    option: tuple[str, ...]
    timeout: float | None
    retries: int | None
    proxy: str | None
    ca: str | None
    allow_http: bool
    cost: str | None
    gpu_hour: str | None
    discount: str | None
    sync: str | None
    key_stdin: bool
    key_env: str | None
    no_test: bool


_OPTIONS = (
    click.option("--type", "kind", metavar="T", help="A known vendor or a dialect; without it, told from the URL."),
    click.option("--url", metavar="URL", help="The base URL of the API."),
    click.option("--key-stdin", is_flag=True, help="Read the key from standard input."),
    click.option("--key-env", metavar="NAME", help="Use the key in this environment variable."),
    click.option("--header", multiple=True, metavar="K=V", help="A further header; repeat for more."),
    click.option("--secret-header", multiple=True, metavar="NAME", help="A header whose value is read from standard input, a line each, after the key."),
    click.option("--option", multiple=True, metavar="NAME=VALUE", help="An option of the dialect."),
    click.option("--name", metavar="TEXT", help="How it is shown."),
    click.option("--region", metavar="R"),
    click.option("--label", multiple=True, metavar="K=V"),
    click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Seconds for one attempt."),
    click.option("--retries", type=click.IntRange(0, 100), metavar="N", help="Attempts after the first."),
    click.option("--proxy", metavar="URL"),
    click.option("--ca", metavar="FILE", help="A PEM file with a private CA."),
    click.option("--allow-http", is_flag=True, help="Allow plain http to a private address."),
    click.option("--cost", type=click.Choice(["metered", "own", "flat"]), help="How it costs: per token, own hardware, flat rate."),
    click.option("--gpu-hour", metavar="USD", help="What an hour of the own hardware costs."),
    click.option("--discount", metavar="PCT", help="Off the list price, in percent."),
    click.option("--sync", metavar="WHEN", help="off, start, an interval (6h) or a cron line."),
    click.option("--no-test", is_flag=True, help="Save without testing it first."),
)  # fmt: skip


def provider_options(function: F) -> F:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def make_draft(
    slug: str | None, given: GivenOptions, secret_headers: Mapping[str, SecretStr]
) -> ProviderDraft:
    from cli.values import read_decimal, read_pairs
    from services.drafts import ProviderDraft

    return ProviderDraft(
        slug=slug,
        type=given.kind,
        url=given.url,
        name=given.name,
        region=given.region,
        labels=read_pairs(given.label, "--label") if given.label else None,
        headers=read_pairs(given.header, "--header") if given.header else None,
        secret_headers=dict(secret_headers) or None,
        options=read_pairs(given.option, "--option") if given.option else None,
        timeout_s=given.timeout,
        retries=given.retries,
        proxy=_proxy(given.proxy),
        ca_file=given.ca,
        allow_http=given.allow_http or None,
        cost_mode=given.cost,
        gpu_hour=read_decimal(given.gpu_hour, "--gpu-hour"),
        discount_pct=read_decimal(given.discount, "--discount", most=100),
        auto_sync=given.sync,
        default_model=None,
    )


def _proxy(url: str | None) -> str | None:
    """A proxy without a password: arguments can be read by every process of the machine."""
    if url is not None and "@" in url.partition("://")[2].partition("/")[0]:
        raise click.UsageError("--proxy takes a URL without user and password.")
    return url
