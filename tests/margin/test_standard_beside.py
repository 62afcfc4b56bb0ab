"""Every result stands beside what `standard` would ask for."""

from decimal import Decimal

import pytest

from accounts.models import Account, Tenant
from accounts.services.loading import accounts_load
from margin.choices import RunReason
from margin.engine.simulation import margin_report
from margin.models import MarginResult, ParameterVersion
from margin.parameter_files import shipped_documents, shipped_library
from margin.services.market import parameters_load_initial, snapshot_accept
from margin.services.runs import run_start
from pmplatform.demo.accounts import demo_accounts
from tests.margin.test_runs import work_through
from tests.margin.world import ACTOR, AS_OF, SEED, demo_market_document, newest_run, world

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_figures_under_standard_are_those_of_its_own_report() -> None:
    market = demo_market_document()
    documents = [account.document for account in demo_accounts(market, 24, SEED)]
    world(market, AS_OF, documents)
    work_through(run_start(reason=RunReason.MANUAL))
    assert newest_run().standard_parameters == ParameterVersion.objects.get(methodology="standard")
    for result in MarginResult.objects.select_related("account"):
        [document] = [entry for entry in documents if entry["id"] == result.account.code]
        account = {name: value for name, value in document.items() if name != "methodology"}
        book = {"as_of": AS_OF.isoformat(), "methodology": "standard", "parameters": None, "market": market}
        alone = margin_report(book | {"account": account}, shipped_library())["account"]
        assert result.standard_ratio == alone["margin_ratio"]
        for stored, figure in ((result.standard_mmr, alone["mmr"]), (result.standard_imr, alone["imr"])):
            assert stored is not None
            assert 0 <= stored - Decimal(figure) < Decimal("0.00000001")


def test_an_account_margined_by_standard_shows_the_same_figures_twice() -> None:
    market = demo_market_document()
    world(market, AS_OF, [account.document for account in demo_accounts(market, 4, SEED)])
    Account.objects.update(margin_methodology="standard")
    work_through(run_start(reason=RunReason.MANUAL))
    for result in MarginResult.objects.all():
        assert (result.standard_mmr, result.standard_imr) == (result.mmr, result.imr)
        assert result.standard_ratio == result.margin_ratio


def test_without_a_version_of_standard_the_figures_are_null_and_the_rest_stands() -> None:
    market = demo_market_document()
    parameters_load_initial(
        documents=[document for document in shipped_documents() if "mr1" in document["versions"][0]]
    )
    snapshot_accept(market=market, as_of=AS_OF, source="tests", actor=ACTOR)
    tenant = Tenant.objects.create(slug="desk", name="Desk")
    documents = [account.document for account in demo_accounts(market, 4, SEED)]
    accounts_load(tenant_id=tenant.pk, documents=documents, actor=ACTOR, now=AS_OF)
    work_through(run_start(reason=RunReason.MANUAL))
    assert MarginResult.objects.count() == 4
    assert set(MarginResult.objects.values_list("standard_mmr", "standard_ratio")) == {(None, None)}
