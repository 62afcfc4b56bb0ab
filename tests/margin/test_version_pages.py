"""The console's pages of parameters, market and settings: what they show, and whom they let act."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from margin.choices import VersionState
from margin.console.market_admin import reason_words
from margin.models import MarketGuardEvent, MarketSnapshot, ParameterVersion
from margin.versions import version_named
from pmplatform import tunables
from pmplatform.console.roles import Role
from tests.console.people import person
from tests.margin.desks import AS_OF, account_of, market
from tests.margin.proposals import CLASSIC, NOW, classic_world, document_of, impact_of, proposal, proposed
from tests.margin.test_impact import dangerous
from tests.margin.test_market_guards import accept
from tests.support.client import TlsClient
from tests.support.console import enter

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def the_clock() -> Any:
    """Every test plays at `NOW`."""
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def _at_desk(name: str, *roles: Role) -> TlsClient:
    client = TlsClient()
    enter(client, person(name, *roles))
    return client


def _officer(name: str) -> TlsClient:
    """Somebody who may both propose and approve, so that only the four eyes hold them."""
    return _at_desk(name, Role.PARAMETER_PROPOSER, Role.PARAMETER_APPROVER)


def _page(client: TlsClient, version: ParameterVersion, **query: str) -> str:
    answer = client.get(reverse("admin:margin_parameterversion_change", args=[version.pk]), query)
    assert answer.status_code == HTTPStatus.OK
    return str(answer.content.decode())


def _step(client: TlsClient, version: ParameterVersion, name: str, reason: str = "") -> str:
    url = reverse("admin:margin_parameterversion_step", args=[version.pk, name])
    answer = client.post(url, {"reason": reason}, format="multipart", follow=True)
    version.refresh_from_db()
    return str(answer.content.decode()) if answer.status_code == HTTPStatus.OK else str(answer.status_code)


def _offers(page: str, version: ParameterVersion, name: str) -> bool:
    return reverse("admin:margin_parameterversion_step", args=[version.pk, name]) in page


def test_the_proposer_sees_no_button_to_approve_and_the_url_refuses() -> None:
    classic_world(4)
    alice, bob = _officer("alice"), _officer("bob")
    version = proposed()
    impact_of(version)
    own, other = _page(alice, version), _page(bob, version)
    assert "somebody else has to approve it" in own
    assert [_offers(page, version, "approve") for page in (own, other)] == [False, True]
    assert "neither who proposed" in _step(alice, version, "approve")
    assert version.state == VersionState.PROPOSED
    assert "Your approval is recorded." in _step(bob, version, "approve")
    assert (version.state, version.approver) == (VersionState.APPROVED, "user:bob")


def test_a_version_is_proposed_reported_approved_scheduled_and_withdrawn_by_buttons() -> None:
    classic_world(4)
    alice, bob = _officer("alice"), _officer("bob")
    version = proposed()
    assert "There is no impact report" in _page(bob, version)
    assert not _offers(_page(bob, version), version, "approve")
    assert "on its way" in _step(alice, version, "impact")
    assert "It is being computed" in _page(bob, version)
    impact_of(version)
    for client, name, state in (
        (bob, "approve", VersionState.APPROVED),
        (bob, "schedule", VersionState.SCHEDULED),
        (alice, "withdraw", VersionState.WITHDRAWN),
    ):
        assert _offers(_page(client, version), version, name), name
        _step(client, version, name, "for a test")
        assert version.state == state
    assert not _offers(_page(bob, version), version, "withdraw")


def test_a_superseded_version_is_rolled_back_to_for_a_reason() -> None:
    classic_world(1)
    bob, earlier = _officer("bob"), version_named(methodology=CLASSIC, version="2024-05-11")
    assert "reason is missing" in _step(bob, earlier, "rollback")
    assert "in force again" in _step(bob, earlier, "rollback", "losses")
    newest = ParameterVersion.objects.latest("id")
    assert (newest.origin, newest.restores, newest.reason) == ("rollback", earlier, "losses")
    page = _page(bob, newest)
    assert "rollback to" in page
    assert "(in force)" in page


def test_whoever_may_only_look_is_offered_nothing_and_the_urls_refuse() -> None:
    classic_world(1)
    version = proposed()
    viewer, proposer = _at_desk("eve", Role.VIEWER), _at_desk("paul", Role.PARAMETER_PROPOSER)
    steps = ("propose", "impact", "approve", "reject", "schedule", "withdraw", "rollback")
    assert not [name for name in steps if _offers(_page(viewer, version), version, name)]
    assert {_step(viewer, version, name, "x") for name in steps} == {"403"}
    assert [name for name in steps if _offers(_page(proposer, version), version, name)] == [
        "impact",
        "withdraw",
    ]
    assert _step(proposer, version, "approve") == "403"
    assert _step(proposer, version, "no-such") == "404"
    url = reverse("admin:margin_parameterversion_step", args=[version.pk, "impact"])
    assert proposer.get(url).status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert version.state == VersionState.PROPOSED


def test_the_difference_reads_by_meaning_and_against_any_version() -> None:
    classic_world(1)
    viewer, version = _at_desk("eve", Role.VIEWER), proposed(document_of("2025-01-06"))
    page = _page(viewer, version)
    assert "What it changes from 2024-06-05" in page
    row = page[page.index("mr6.price_move.tier1") :][:600]
    assert [text in row for text in ("0.3", "0.24", "\N{MINUS SIGN}20 %")] == [True] * 3
    assert "drastic" not in page
    assert "What it changes from 2024-05-11" in _page(viewer, version, base="2024-05-11")
    slipped = proposed(proposal("slip", "2024-12-25T08:00:00Z", imr_factor=130))
    assert "drastic" in _page(viewer, slipped)


def test_the_impact_shows_totals_histogram_hits_and_the_largest_by_component() -> None:
    classic_world(120)
    bob, version = _officer("bob"), proposed(dangerous())
    report = impact_of(version)
    found: Any = report.report
    page = _page(bob, version)
    assert "120 accounts together" in page
    assert "pm-meter" in page
    assert f"{report.newly_liquidatable} accounts would become liquidatable" in page
    assert found["newly_liquidatable"]["accounts"][0]["code"] in page
    assert all(row["code"] in page for row in found["largest"])
    assert "MR1" in page
    assert "this is the first approval" in page
    _step(bob, version, "approve")
    assert version.state == VersionState.PROPOSED
    assert "a second approval is awaited" in _page(bob, version)


def test_versions_are_listed_with_state_and_whether_they_are_in_force() -> None:
    classic_world(1)
    proposed()
    url = reverse("admin:margin_parameterversion_changelist")
    page = _at_desk("eve", Role.VIEWER).get(url, {"methodology": CLASSIC}).content.decode()
    assert [word in page for word in ("Proposed", "Active", "Superseded", "was in force")] == [True] * 4


def test_snapshots_show_the_state_of_the_market_and_what_the_guards_did(the_clock: Any) -> None:
    the_clock.move_to(AS_OF)
    account_of()
    eve, url = _at_desk("eve", Role.VIEWER), reverse("admin:margin_marketsnapshot_changelist")
    assert "The market is" in eve.get(url).content.decode()
    assert "nothing to do yet" in eve.get(url).content.decode()
    accept(market({"BTC-USD": 1_000_000.0}))
    jumped = "index.BTC-USD jumped from 100000 to 1000000"
    page = eve.get(url).content.decode()
    assert ("HOLD" in page, jumped in page) == (True, True)
    newest = MarketSnapshot.objects.latest("sequence")
    for model, key in (("marketsnapshot", newest.pk), ("marketguardevent", newest.guard_events.get().pk)):
        assert jumped in eve.get(reverse(f"admin:margin_{model}_change", args=[key])).content.decode()
    events = eve.get(reverse("admin:margin_marketguardevent_changelist"), {"kind__exact": "held"})
    assert jumped in events.content.decode()
    many = MarketGuardEvent(kind="refused", reasons=[f"fault {number}" for number in range(9)])
    assert reason_words(many) == "fault 0; fault 1; fault 2; and 6 more"
    the_clock.move_to(AS_OF + timedelta(minutes=5))
    accept(market(), 60)
    the_clock.move_to(AS_OF + timedelta(minutes=10))
    assert "market data is 300 s old, more than 120 s" in eve.get(url).content.decode()


def test_before_the_first_snapshot_the_list_is_empty_and_says_nothing_of_the_market() -> None:
    page = _at_desk("eve", Role.VIEWER).get(reverse("admin:margin_marketsnapshot_changelist"))
    assert page.status_code == HTTPStatus.OK
    assert "The market is" not in page.content.decode()


def test_the_settings_page_has_every_limit_and_a_stranger_is_turned_away() -> None:
    page = _at_desk("eve", Role.VIEWER).get(reverse("admin:platform_settings")).content.decode()
    assert all(tunable.name in page and tunable.default_text in page for tunable in tunables.ALL)
    assert "okx-classic is retired at 2025-01-21 08:00 UTC" in page
    assert _at_desk("nobody").get(reverse("admin:platform_settings")).status_code == HTTPStatus.FORBIDDEN
