"""Moves the accounts of a retired methodology to its successor."""

from datetime import datetime
from typing import Final

from accounts import standings
from accounts.choices import LedgerKind, Methodology, TransitionKind
from accounts.eligibility import Retirement, changed
from accounts.retirements import retirements_past
from accounts.services.changes import account_changing
from accounts.services.eligibility import Proof, eligibility_move
from pmplatform.common.principals import Actor

ACTOR: Final = Actor(name="system:retirement", request_id="retirement")


def methodologies_retire(*, now: datetime) -> int:
    """Move every account whose chosen methodology has been retired; returns how many moved.

    Nobody is asked and nothing is checked: its venue has withdrawn the methodology. An account keeps its
    state, and is reviewed by the successor's rules from the next run on.
    """
    return sum(
        _move(account_id, methodology, retirement, now)
        for methodology, retirement in retirements_past(now).items()
        for account_id in standings.account_ids_of(methodology=methodology)
    )


def _move(account_id: int, methodology: Methodology, retirement: Retirement, now: datetime) -> bool:
    with account_changing(account_id=account_id, kind=LedgerKind.SETTING, actor=ACTOR, now=now) as change:
        standing = standings.standing_of(change.account)
        if standing.methodology != methodology:
            return False
        reason = f"{methodology} was retired at {retirement.at}; its successor is {retirement.successor}"
        eligibility_move(
            change=change,
            to=changed(standing, retirement.successor),
            kind=TransitionKind.RETIRED,
            proof=Proof(reasons=[reason]),
        )
        return True
