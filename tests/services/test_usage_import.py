"""Bills and usage exports as files: the vendors' own columns and pages, exact money, and what is wrong said by line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import UsageError
from services.bill_file import read_bill
from services.container import Services
from services.drafts import ProviderDraft
from services.usage_import import forget_bill, import_bill
from store.vendor_usage import API, DAY_MS, VendorRow, VendorUsage

NOV_18 = 1_794_960_000_000
ANTHROPIC = (
    "usage_date_utc,model,workspace,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,"
    "usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens\n"
    "2026-11-18,claude-sonnet-5-5,Default,1000,200,100,300,50\n"
    "2026-11-18,claude-sonnet-5-5,Other,10,0,0,0,5\n"
)
OPENAI = (
    '{"object":"page","data":[{"object":"bucket","start_time":1794960000,"end_time":1795046400,"results":['
    '{"object":"organization.costs.result","amount":{"value":0.06,"currency":"usd"},"line_item":"gpt-4o, cached input"},'
    '{"object":"organization.costs.result","amount":{"value":0.1,"currency":"usd"},"line_item":"web search"}]}]}'
)
ANTHROPIC_COST = '{"data":[{"starting_at":"2026-11-18T00:00:00Z","ending_at":"2026-11-19T00:00:00Z","results":[{"amount":"123.45","currency":"USD","model":"m"}]}]}'


def wrote(folder: Path, text: str, name: str = "bill.csv") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_anthropics_columns_count_cached_tokens_into_the_input(tmp_path: Path) -> None:
    bill = read_bill(wrote(tmp_path, ANTHROPIC))
    [(key, day)] = bill.days.items()
    assert key == (NOV_18, "claude-sonnet-5-5", "")
    assert day.figures == {"input": 1_610, "cache_write": 300, "cache_read": 300, "output": 55}
    assert (bill.cost, bill.unread, bill.lines) == (None, (), 2)


def test_openais_pages_name_models_in_their_line_items(tmp_path: Path) -> None:
    bill = read_bill(wrote(tmp_path, OPENAI, "costs.json"))
    assert {key[1:]: day.cost for key, day in bill.days.items()} == {
        ("gpt-4o", "gpt-4o, cached input"): Decimal("0.06"),
        ("", "web search"): Decimal("0.1"),
    }


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        (ANTHROPIC_COST, None, "1.2345"),
        ("date,amount\n2026-11-18,1050\n", "cents", "10.50"),
        ("date,cost\n2026-11-18,$1050.5\n", None, "1050.5"),
        ("Date;Amount (USD)\n2026-11-18;\n", None, None),
        ("date,cost_cents,model\n2026-11-18,7,m\n", None, "0.07"),
        ('{"date":"2026-11-18T23:59:59Z","cost":"0.1"}\n{"date":"2026-11-18","cost":0.2}', None, "0.3"),
    ],
)
def test_units_of_money(tmp_path: Path, text: str, unit: str | None, expected: str | None) -> None:
    file = wrote(tmp_path, text)
    if expected is None:
        with pytest.raises(UsageError, match="neither tokens nor a cost"):
            read_bill(file)
    else:
        assert read_bill(file, unit).cost == Decimal(expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column with a date"),
        ("model,cost\nm,1\n", "no column with a date. Its columns: model, cost"),
        ("date,cost\nyesterday,1\n", "line 2: yesterday is no date"),
        ("date,cost,currency\n2026-11-18,5,CNY\n", "an amount in cny, not in dollars"),
        ("date,input_tokens\n2026-11-18,-5\n", "-5 is no number of input tokens"),
        ("date,cost\n2026-11-18,NaN\n", "NaN is no amount"),
        ("{not json", "Line 1 of the file is no JSON"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_bill(wrote(tmp_path, text))
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("date;cost\n2026-11-18;1,50\n", "1.50"),
        ("date;cost\n2026-11-18;1.234,50\n", "1234.50"),
        ("date;cost\n2026-11-18;1,234\n", "1.234"),
        ('date,cost\n2026-11-18,"1,234.5"\n', "1234.5"),
        ('date,cost\n2026-11-18,"0,125"\n', "0.125"),
        ("date,cost\n2026-11-18,-$5.25\n", "-5.25"),
    ],
)
def test_an_amount_is_what_its_file_means(tmp_path: Path, text: str, expected: str) -> None:
    assert read_bill(wrote(tmp_path, text)).cost == Decimal(expected)


HOSTILE = {
    "an exponent that no number has": '{"date":"2026-11-18","cost":1e99999999999999999999}',
    "deeper than anybody reads": '{"date":"2026-11-18","cost":1,"a":' + '{"a":' * 900 + "1" + "}" * 901,
    "a day nobody bills": "date,cost\n0001-01-01,1\n9999-12-31,1\n",
    "more than the store can sum": "date,cost\n" + "2026-11-18,999999999\n" * 12,
    "more tokens than there are": "date,input_tokens\n" + "2026-11-18,999999999999999\n" * 30,
    "a number of 5000 digits": '{"date":"2026-11-18","cost":' + "9" * 5000 + "}",
    "cut in the middle": '{"data":[{"date":"2026-11-18","cost":1},{"date":',
    "a field that never ends": "date,cost\n2026-11-18,1" + "0" * 200_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_file_is_refused_or_fits_the_store(
    services: Services, tmp_path: Path, text: str
) -> None:
    await services.registry.add(ProviderDraft(slug="openai", type="openai"), None, test=False)
    try:
        await import_bill(services, None, read_bill(wrote(tmp_path, text)))
    except UsageError:
        return
    held = await VendorUsage(services.db).totals(0, 2**62)
    assert held
    assert (held[0].cost_nanos or 0) < 2**62


def test_a_page_says_of_its_entries_what_stands_before_them(tmp_path: Path) -> None:
    text = '{"currency":"usd","data":[{"start_time":1794960000,"results":[{"amount":{"value":1.5},"model":"m"},{"amount":{"value":0.25},"model":"m"}]}],"has_more":false}'
    [(key, day)] = read_bill(wrote(tmp_path, text)).days.items()
    assert (key, day.cost) == ((NOV_18, "m", ""), Decimal("1.75"))


async def test_whose_bill_it_is_is_known_where_only_one_can_be_meant(
    services: Services, tmp_path: Path
) -> None:
    plain = wrote(tmp_path, "date,cost\n2026-11-18,1\n")
    with pytest.raises(UsageError, match="Whose bill"):
        await import_bill(services, None, read_bill(plain))
    await services.registry.add(ProviderDraft(slug="work", type="openai"), None, test=False)
    assert (await import_bill(services, None, read_bill(plain))).provider == "work"
    await services.registry.add(ProviderDraft(slug="claude", type="anthropic"), None, test=False)
    assert (
        await import_bill(services, None, read_bill(wrote(tmp_path, ANTHROPIC, "b.csv")))
    ).provider == "claude"
    assert (
        await import_bill(services, None, read_bill(wrote(tmp_path, OPENAI, "a.json")))
    ).provider == "work"
    named = wrote(tmp_path, "date,cost\n2026-11-18,1\n", "anthropic-costs-2026-11.csv")
    assert (await import_bill(services, None, read_bill(named))).provider == "claude"
    with pytest.raises(UsageError) as caught:
        await import_bill(services, None, read_bill(plain))
    assert caught.value.hint is not None
    assert "claude, work" in caught.value.hint
    assert await forget_bill(services, None, "anthropic-costs-2026-11.csv") == "claude"
    with pytest.raises(UsageError, match="No file"):
        await forget_bill(services, None, "anthropic-costs-2026-11.csv")


async def test_a_file_leaves_the_days_that_it_does_not_tell_of_to_the_others(
    services: Services, tmp_path: Path
) -> None:
    await services.registry.add(ProviderDraft(slug="openai", type="openai"), None, test=False)
    first = "date,cost\n2026-11-18,1\n2026-11-19,2\n2026-11-20,4\n"
    await import_bill(services, "openai", read_bill(wrote(tmp_path, first, "a.csv")))
    await import_bill(
        services, "openai", read_bill(wrote(tmp_path, "date,cost\n2026-11-18,8\n2026-11-20,16\n", "b.csv"))
    )
    held = VendorUsage(services.db)
    span = (NOV_18, NOV_18 + 3 * DAY_MS)
    nano = 1_000_000_000
    assert [one.cost_nanos for one in await held.totals(*span, "day")] == [8 * nano, 2 * nano, 16 * nano]
    again = "date,cost\n2026-11-18,8\n2026-11-20,-16\n"
    await import_bill(services, "openai", read_bill(wrote(tmp_path, again, "b.csv")))
    assert [one.cost_nanos for one in await held.totals(*span, "day")] == [8 * nano, 2 * nano, -16 * nano]


def test_a_folder_or_nothing_is_no_bill(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.csv"):
        with pytest.raises(UsageError):
            read_bill(path)


def test_single_bad_lines_are_told_and_left_out(tmp_path: Path) -> None:
    text = "date,cost\n2026-11-18,1\n2026-11-18,2\nTotal,3\n"
    bill = read_bill(wrote(tmp_path, text))
    assert (bill.cost, bill.unread) == (Decimal(3), ("line 4: Total is no date",))


@given(st.binary(max_size=300))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(b"date,model,cost\n2026-11-18,m,1\n" + data)
    try:
        bill = read_bill(file)
    except UsageError:
        return
    assert bill.cost is not None


async def test_a_bill_is_kept_told_and_taken_back(services: Services, tmp_path: Path) -> None:
    await services.registry.add(ProviderDraft(slug="openai", type="openai"), None, test=False)
    held = VendorUsage(services.db)
    told = VendorRow("openai", NOV_18, "cost", "gpt-4o", "", API, NOV_18 + DAY_MS, cost_nanos=9, fetched_at=1)
    async with services.db.transaction() as tx:
        await held.replace(tx, "openai", API, "cost", (NOV_18, NOV_18 + DAY_MS), [told])
    text = "date,model,cost_usd,input_tokens\n2026-11-18,gpt-4o,5,10\n2026-11-19,gpt-4o,0.25,20\n"
    done = await import_bill(services, "openai", read_bill(wrote(tmp_path, text)))
    assert (done.usage, done.costs) == (2, 1), "the vendor told of the first day's costs itself"
    days = await held.totals(NOV_18, NOV_18 + 2 * DAY_MS, "day", kind="cost")
    assert [day.cost_nanos for day in days] == [9, 250_000_000]
    newest = (await services.audit.of_provider("openai"))[0]
    assert (newest.action, newest.subject) == ("usage.import", "openai")
    await forget_bill(services, "openai", "bill.csv")
    assert [one.cost_nanos for one in await held.totals(NOV_18, NOV_18 + 2 * DAY_MS)] == [9]
    with pytest.raises(UsageError, match=r"No file bill\.csv"):
        await forget_bill(services, "openai", "bill.csv")
