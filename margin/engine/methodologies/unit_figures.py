"""The figures of one risk unit over a shard, filled block by block."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from margin.engine.methodologies.evaluations import Chosen, Evaluations, Products
from margin.engine.methodologies.terms import Sensitivity
from margin.engine.order_sets import binding_code
from margin.engine.prepared import Block, PreparedUnit
from margin.engine.results import UnitFigures
from margin.engine.risk_arrays import RiskArrays
from margin.engine.scenarios import VOL_SHIFTS

Floats = npt.NDArray[np.float64]


class UnitColumns:
    """Columns over the P pairs of a unit; all figures of a pair are of the one evaluation that binds it."""

    def __init__(self, unit: PreparedUnit, arrays: RiskArrays) -> None:
        pairs = len(unit.account)
        self._unit, self._arrays = unit, arrays
        self._binding = np.zeros(pairs, dtype=np.int8)
        self._mmr, self._spot_in_use = np.empty(pairs), np.empty(pairs)
        self._totals = np.empty((len(Sensitivity), pairs))
        self._components: dict[str, Floats] = {}
        self._pnl = np.empty((len(VOL_SHIFTS), len(arrays.price_moves), pairs))

    def put(
        self,
        block: Block,
        products: Products,
        evaluated: Evaluations,
        binding: Chosen,
        *,
        mmr: Floats,
        components: Mapping[str, Floats],
        grid: Floats,
        spot_pnl: Floats,
    ) -> None:
        """What binds a block, out of the figures (E,) of its evaluations.

        Parameters
        ----------
        grid : (3, n, R) scenario P&L of the block's rows.
        spot_pnl : (n, E) what the spot in use adds to it at each price move.
        """
        pairs, variants = block.pairs, evaluated.variants
        row = variants.row_of(binding)
        self._binding[pairs] = binding_code(block.rows.row_set[row], variants.with_spot_orders[binding])
        self._mmr[pairs] = mmr[binding]
        self._spot_in_use[pairs] = evaluated.spot_in_use[binding]
        self._totals[:, pairs] = products.totals[: len(Sensitivity), row]
        for name, values in components.items():
            self._component(name)[pairs] = values[binding]
        np.add(grid[..., row], spot_pnl[:, binding], out=self._pnl[..., pairs])

    def _component(self, name: str) -> Floats:
        if name not in self._components:
            self._components[name] = np.empty(len(self._binding))
        return self._components[name]

    def figures(self, imr_factor: float, lot_upl_usd: Floats) -> UnitFigures:
        """The unit, once all its blocks are put; `lot_upl_usd` (L,) is of every lot of the shard."""
        totals = self._totals
        return UnitFigures(
            unit=self._arrays.unit.name,
            account=self._unit.account,
            binding_code=self._binding,
            mmr=self._mmr,
            imr=imr_factor * self._mmr,
            spot_in_use=self._spot_in_use,
            delta=totals[Sensitivity.DELTA],
            cash_delta=totals[Sensitivity.CASH_DELTA],
            gamma=totals[Sensitivity.GAMMA],
            theta=totals[Sensitivity.THETA],
            vega=totals[Sensitivity.VEGA],
            upl=self._unit.upl(lot_upl_usd),
            components=self._components,
            price_moves=self._arrays.price_moves,
            pnl=self._pnl.transpose(2, 1, 0),
        )
