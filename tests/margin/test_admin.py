"""The console's pages of margin over a book that was really margined."""

import re
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.services.tenants import user_create
from margin.choices import RunReason
from margin.models import Blob, MarginResult, MarketSnapshot, ParameterVersion
from margin.services.explanations import result_comparison
from margin.services.inputs import result_book
from margin.services.reports import report_of
from margin.services.runs import run_start
from pmplatform.common.console import heatmap, money, percent
from tests.margin.test_runs import work_through
from tests.margin.world import ACTOR, demo_world, newest_run
from tests.support.client import TlsClient
from tests.support.console import enter

pytestmark = pytest.mark.django_db(transaction=True)

MODELS = ("marginrun", "marketsnapshot", "parameterversion", "marginresult")


@pytest.fixture
def console() -> TlsClient:
    demo_world(12)
    work_through(run_start(reason=RunReason.MANUAL))
    root = user_create(
        username="root", password="correct horse battery", tenant=None, is_superuser=True, actor=ACTOR
    )
    client = TlsClient()
    enter(client, root)
    return client


def _page(console: TlsClient, model: str, pk: object) -> str:
    response = console.get(reverse(f"admin:margin_{model}_change", args=[pk]))
    assert response.status_code == HTTPStatus.OK
    return str(response.content.decode())


def _results_with_scenarios() -> Iterator[MarginResult]:
    for result in MarginResult.objects.select_related("account").order_by("id"):
        if any(unit["worst"] and unit["worst"]["pnl"] < 0 for unit in report_of(result)["risk_units"]):
            yield result


def test_every_list_renders_and_nothing_is_added_or_changed_by_form(console: TlsClient) -> None:
    newest = {
        "marginrun": newest_run().pk,
        "marketsnapshot": MarketSnapshot.objects.latest("sequence").pk,
        "parameterversion": ParameterVersion.objects.latest("id").pk,
        "marginresult": MarginResult.objects.latest("id").pk,
    }
    for model in MODELS:
        assert console.get(reverse(f"admin:margin_{model}_changelist")).status_code == HTTPStatus.OK
        assert console.get(reverse(f"admin:margin_{model}_add")).status_code == HTTPStatus.FORBIDDEN
        change = reverse(f"admin:margin_{model}_change", args=[newest[model]])
        assert console.post(change, {}).status_code == HTTPStatus.FORBIDDEN


def test_results_are_listed_with_status_word_and_ratio_and_found_by_code(console: TlsClient) -> None:
    url = reverse("admin:margin_marginresult_changelist")
    result = MarginResult.objects.select_related("account").latest("id")
    page = console.get(url, {"q": result.account.code}).content.decode()
    assert result.account.code in page
    assert result.get_status_display() in page
    assert percent(result.margin_ratio) in page
    assert console.get(url, {"status__exact": result.status}).content.decode().count("pm-state") == (
        MarginResult.objects.filter(status=result.status).count()
    )


def test_the_list_shows_the_newest_run_unless_asked_for_all(console: TlsClient) -> None:
    work_through(run_start(reason=RunReason.MANUAL))
    url = reverse("admin:margin_marginresult_changelist")
    assert console.get(url).content.decode().count("pm-state") == 12
    assert console.get(url, {"run": "all"}).content.decode().count("pm-state") == 24


def test_an_accounts_page_has_a_heatmap_with_its_worst_cell_marked(console: TlsClient) -> None:
    result = next(_results_with_scenarios())
    report = report_of(result)
    page = _page(console, "marginresult", result.pk)
    units = [unit for unit in report["risk_units"] if unit["scenarios"]]
    losing = [unit for unit in units if unit["worst"]["pnl"] < 0]
    cells = re.findall(r'<td style="--heat: (-?[\d.]+)"', page)
    assert len(cells) == sum(len(row) for unit in units for row in unit["scenarios"]["pnl"])
    assert all(-1 <= float(heat) <= 1 for heat in cells)
    assert page.count('class="pm-worst"') == len(losing)
    for unit in losing:
        assert f"{money(unit['worst']['pnl'], signed=True)} worst" in page


def test_an_accounts_page_shows_figures_components_and_thresholds(console: TlsClient) -> None:
    result = next(_results_with_scenarios())
    report = report_of(result)
    page = _page(console, "marginresult", result.pk)
    assert money(report["account"]["mmr"]) in page
    assert percent(report["account"]["margin_ratio"]) in page
    assert "Thresholds: " in page
    assert all(money(value) in page for unit in report["risk_units"] for value in unit["components"].values())
    assert all(f'<th scope="row">{row["currency"]}</th>' in page for row in report["currencies"])


def test_a_runs_page_lists_its_parts_and_a_versions_page_its_parameters(console: TlsClient) -> None:
    run = newest_run()
    page = _page(console, "marginrun", run.pk)
    assert all(part.name in page for part in run.parts.all())
    version = ParameterVersion.objects.filter(methodology="okx-2025").earliest("id")
    assert "warning_ratio" in _page(console, "parameterversion", version.pk)


def test_a_missing_result_leads_back_to_the_console(console: TlsClient) -> None:
    response = console.get(reverse("admin:margin_marginresult_change", args=[0]))
    assert response.status_code == HTTPStatus.FOUND


def test_numbers_are_short_and_carry_their_full_precision() -> None:
    minus = "\N{MINUS SIGN}"
    assert money(-12345.678) == f'<span class="pm-number" title="-12345.678">{minus}12,346</span>'
    assert ">12.35<" in money(12.345678)
    assert ">243.2 %<" in percent(2.4321)


def test_a_heatmap_without_a_loss_marks_no_cell() -> None:
    [low, high] = heatmap(["-10 %", "+10 %"], [[0.0, 0.0], [4.0, 2.0]])
    assert [cell.heat for cell in (*low.cells, *high.cells)] == [0.0, 0.0, 1.0, 0.5]
    assert not any(cell.is_worst for cell in (*low.cells, *high.cells))


def test_an_account_is_shown_beside_standard_with_what_it_saves(console: TlsClient) -> None:
    result = MarginResult.objects.latest("id")
    assert result.standard_imr is not None
    saved = money(result.standard_imr - result.imr)
    page = _page(console, "marginresult", result.pk)
    assert "IMR under standard" in page
    assert saved in page
    assert saved in console.get(reverse("admin:margin_marginresult_changelist")).content.decode()


def test_what_is_saved_is_shown_with_and_without_the_value_of_short_options(console: TlsClient) -> None:
    for result in MarginResult.objects.order_by("id"):
        book = result_book(result=result)
        assert book is not None
        saved = result_comparison(result=result, book=book)["saving"][book.methodology]
        bare = saved["without_short_option_value"]
        if saved["imr"] - bare["imr"] > 1.0:
            page = _page(console, "marginresult", result.pk)
            for value in (saved["mmr"], saved["imr"], bare["mmr"], bare["imr"]):
                assert money(value, signed=True) in page
            return
    pytest.fail("no account is short of options")


def _widest() -> MarginResult:
    """The result of the most risk units."""
    return max(MarginResult.objects.order_by("id"), key=lambda item: len(report_of(item)["risk_units"]))


def test_another_methodology_is_shown_as_a_what_if_and_nothing_is_stored(console: TlsClient) -> None:
    result, count = _widest(), MarginResult.objects.count()
    url = reverse("admin:margin_marginresult_change", args=[result.pk])
    page = console.get(url, {"methodology": "standard"}).content.decode()
    assert "What if:" in page
    assert result.standard_mmr is not None
    [shown] = re.findall(r"<dt>MMR, USD</dt><dd>.*?>([^<]+)</span>", page)
    assert shown in money(result.standard_mmr)
    assert money(report_of(result)["account"]["mmr"]) in page, "the stored one stays in the comparison"
    assert MarginResult.objects.count() == count
    assert "What if:" not in console.get(url).content.decode()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"methodology": "no-such"}, "no-such is not offered"),
        ({"coin": "NONE"}, "the market has no index NONE-USD"),
        ({"axis": "time"}, "No curve: axis"),
    ],
)
def test_what_cannot_be_shown_is_said_and_the_stored_figures_stay(
    console: TlsClient, query: dict[str, str], words: str
) -> None:
    result = _widest()
    page = console.get(reverse("admin:margin_marginresult_change", args=[result.pk]), query).content.decode()
    assert words in page
    assert money(report_of(result)["account"]["mmr"]) in page


def test_without_its_inputs_a_result_shows_what_is_stored_and_says_so(console: TlsClient) -> None:
    widest = _widest()
    Blob.objects.all().delete()
    page = _page(console, "marginresult", widest.pk)
    assert "not kept any more" in page
    assert "pm-needle" in page
    assert "pm-field" not in page


def test_an_accounts_page_takes_few_queries(
    console: TlsClient, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    url = reverse("admin:margin_marginresult_change", args=[_widest().pk])
    console.get(url)
    with django_assert_max_num_queries(20):
        console.get(url, {"methodology": "bybit-uta", "axis": "vol"})
