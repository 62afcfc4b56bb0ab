"""What an account's figures would be: margined on the spot, at the newest snapshot, under any methodology."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings

from accounts.choices import HedgeMode, Methodology
from accounts.eligibility import Figures
from margin import selectors
from margin.assembly import AccountInput, account_faults, equity, requirement, shard_book
from margin.engine.errors import NonFiniteError
from margin.engine.methodologies.registry import OFFERED
from margin.engine.parameters.library import Parameters
from margin.engine.pipeline import margin_book
from margin.models import MarketSnapshot
from margin.services.runs import account_inputs


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures with the snapshot they are from, or the reasons why there are none to rely on."""

    snapshot: MarketSnapshot | None
    figures: Figures | None
    faults: tuple[str, ...] = ()


def staleness(snapshot: MarketSnapshot, now: datetime) -> str:
    """Why a snapshot is too old to move an account by, or nothing."""
    age, most = now - snapshot.as_of, settings.PM_SNAPSHOT_MAX_AGE
    if age <= most:
        return ""
    return f"market data is {age.total_seconds():.0f} s old, more than {most.total_seconds():.0f} s"


def account_measure(
    *, account_id: int, methodology: Methodology, hedge_mode: HedgeMode | None, now: datetime
) -> Measured:
    """An account's figures under a methodology and hedge mode that need not be its own."""
    snapshot = selectors.snapshot_latest()
    if snapshot is None:
        return Measured(None, None, ("there is no market snapshot yet",))
    version = selectors.parameters_in_force(methodology, snapshot.as_of)
    if version is None or methodology not in OFFERED:
        return Measured(snapshot, None, (f"{methodology} is not offered at this time",))
    [account] = account_inputs([account_id])
    asked = replace(account, methodology=methodology.value, hedge_mode=hedge_mode)
    figures, faults = _margined(asked, snapshot, selectors.parameters_read(version.pk))
    old = staleness(snapshot, now)
    return Measured(snapshot, figures, (*faults, old) if old else faults)


def _margined(
    account: AccountInput, snapshot: MarketSnapshot, parameters: Parameters
) -> tuple[Figures | None, tuple[str, ...]]:
    market, rows = selectors.snapshot_market(snapshot.pk), account.to_rows()
    if faults := account_faults(rows, market, parameters):
        return None, tuple(map(str, faults))
    try:
        shard = margin_book(shard_book([rows], market), market.to_market(), parameters)
        shard.require_finite()
    except NonFiniteError as error:
        return None, (str(error),)
    found = shard.accounts
    return (
        Figures(
            net_equity=equity(found.net_equity[0]),
            adjusted_equity=equity(found.adjusted_equity[0]),
            imr=requirement(found.imr[0]),
        ),
        (),
    )
