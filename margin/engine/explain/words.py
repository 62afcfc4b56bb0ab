"""Explanations in words: what happens, what it costs, and who is most of it."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import numpy as np

from margin.engine.explain.explanation import Component, Decision
from margin.engine.explain.players import Player, PlayerKind
from margin.engine.instruments import EPOCH, Instruments

_THOUSAND: Final = 1000.0
_FACTOR: Final = re.compile(r"\bmr\d\b")


def move_words(move: float) -> str:
    """A price move as a trader says it."""
    if move == 0.0:
        return "an unchanged price"
    return f"a {'fall' if move < 0.0 else 'rise'} of {abs(move) * 100:.4g} %"


def move_label(move: float) -> str:
    """A price move in a list of alternatives."""
    return f"{move * 100:+.4g} %"


def scenario_words(move: float, vol_shift: str, *, vol_matters: bool) -> str:
    """A cell of a scenario matrix; volatility is left out where it changes nothing."""
    if not vol_matters:
        return move_words(move)
    return f"{move_words(move)} with volatility {'unchanged' if vol_shift == 'same' else vol_shift}"


def sentences(
    unit: str,
    components: Mapping[str, Component],
    counted: Sequence[str],
    decisions: Sequence[Decision],
    players: Sequence[Player],
    table: Instruments,
) -> str:
    """The largest counted component with its largest share, then the closest of the decisions."""
    total = sum(components[name].value for name in counted)
    if total <= 0.0:
        return f"{unit}: nothing is required."
    name = max(counted, key=lambda item: components[item].value)
    component = components[name]
    top = int(np.argmax(component.shares))
    share = component.shares[top] / component.value
    first = (
        f"{unit}: {component.words} costs {component.value:,.0f} of the {total:,.0f} required; "
        f"{_player(players[top], table)} {share * 100.0:.0f} % of it{_relief(component)}."
    )
    closest = sorted(decisions, key=lambda decision: decision.by)[:1]
    return " ".join((first, *(_decided(decision) for decision in closest)))


def _relief(component: Component) -> str:
    """What the players with negative shares take off."""
    relief = -component.shares[component.shares < 0.0].sum()
    return f", and hedges take off {relief:,.0f}" if relief >= component.value / 100.0 else ""


def _decided(decision: Decision) -> str:
    """The closest decision: what would decide next, and how far it is."""
    lead = f"{decision.by:,.0f} ahead of" if decision.by >= 1.0 else "level with"
    words = f"by {decision.alternatives}: {decision.chosen} decides, {lead} {decision.next}"
    named = _FACTOR.sub(lambda name: name.group().upper(), words.replace("_", " "))
    return f"The closest choice is {named}."


def _player(player: Player, table: Instruments) -> str:
    """The player as the subject of its share, with the verb."""
    if player.kind is PlayerKind.SPOT:
        return f"the {player.quantity:,.6g} {player.instrument} of spot in use are"
    place = table.ids.index(player.instrument)
    name = _option(place, table) if table.option[place] else player.instrument
    if player.kind is PlayerKind.ORDER:
        return f"the order to {'buy' if player.quantity > 0.0 else 'sell'} {name} is"
    side = "long" if player.quantity > 0.0 else "short"
    return f"the {side} {name} {'are' if table.option[place] else 'is'}"


def _option(place: int, table: Instruments) -> str:
    """`28 March 90k puts`."""
    expiry = EPOCH + timedelta(microseconds=int(table.expiry[place]))
    strike = float(table.strike[place])
    short = f"{strike / _THOUSAND:g}k" if strike >= 10.0 * _THOUSAND else f"{strike:,g}"
    return f"{expiry.day} {expiry:%B} {short} {'calls' if table.sign[place] > 0.0 else 'puts'}"
