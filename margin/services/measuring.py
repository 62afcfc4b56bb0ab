"""What an account's figures would be under any methodology, with every reason not to rely on the market."""

from dataclasses import dataclass, replace
from datetime import datetime

from accounts.choices import HedgeMode, Methodology
from accounts.eligibility import Figures
from margin.assembly import equity, requirement
from margin.market_states import snapshot_state
from margin.models import MarketSnapshot
from margin.services.margining import account_input, margining
from pmplatform.common.errors import Refused


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures with the snapshot they are from, and the reasons, if any, not to rely on them."""

    snapshot: MarketSnapshot | None = None
    figures: Figures | None = None
    faults: tuple[str, ...] = ()


def account_measure(
    *, account_id: int, methodology: Methodology, hedge_mode: HedgeMode | None, now: datetime
) -> Measured:
    """An account's figures at the newest snapshot, under terms that need not be its own."""
    try:
        desk = margining(methodology=methodology)
    except Refused as refusal:
        return Measured(faults=refusal.reasons)
    account = replace(account_input(account_id), methodology=methodology.value, hedge_mode=hedge_mode)
    faults = snapshot_state(desk.snapshot, now).reasons
    try:
        found = desk.margin([account.to_rows()]).accounts
    except Refused as refusal:
        return Measured(desk.snapshot, None, (*faults, *refusal.reasons))
    figures = Figures(
        net_equity=equity(found.net_equity[0]),
        adjusted_equity=equity(found.adjusted_equity[0]),
        imr=requirement(found.imr[0]),
    )
    return Measured(desk.snapshot, figures, faults)
