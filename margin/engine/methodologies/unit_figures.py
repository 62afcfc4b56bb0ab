"""The figures of one risk unit over a shard, filled block by block."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from margin.engine.methodologies.evaluations import Chosen, Evaluations, Products
from margin.engine.methodologies.terms import Sensitivity
from margin.engine.order_sets import binding_code
from margin.engine.prepared import Block, PreparedUnit
from margin.engine.results import UnitFigures, is_finite
from margin.engine.risk_arrays import RiskArrays
from margin.engine.scenarios import VOL_SHIFTS

Floats = npt.NDArray[np.float64]


class UnitColumns:
    """Columns over the P pairs of a unit; all figures of a pair are of the one evaluation that binds it."""

    def __init__(self, unit: PreparedUnit, arrays: RiskArrays) -> None:
        pairs = len(unit.account)
        self._unit, self._arrays = unit, arrays
        self._binding = np.zeros(pairs, dtype=np.int8)
        self._totals = np.empty((len(Sensitivity), pairs))
        self._pnl = np.empty((len(VOL_SHIFTS), len(arrays.price_moves), pairs))
        self._figures, self._names = np.empty((0, pairs)), tuple[str, ...]()
        self._finite = True

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
        figures = {"mmr": mmr, "spot_in_use": evaluated.spot_in_use, **components}
        if not self._names:
            self._names, self._figures = tuple(figures), np.empty((len(figures), len(self._binding)))
        for column, values in zip(self._figures, figures.values(), strict=True):
            column[pairs] = values[binding]
        self._totals[:, pairs] = products.totals[: len(Sensitivity), row]
        pnl = self._pnl[..., pairs]
        if variants.any_spot:
            np.add(grid[..., row], spot_pnl[:, binding], out=pnl)
            self._finite = self._finite and is_finite(pnl)
        else:
            pnl[:] = grid[..., row]
        self._finite = self._finite and products.finite and is_finite(self._figures[:, pairs])

    def figures(self, imr_factor: float, lot_upl_usd: Floats) -> UnitFigures:
        """The unit, once all its blocks are put; `lot_upl_usd` (L,) is of every lot of the shard."""
        totals, components = self._totals, dict(zip(self._names, self._figures, strict=True))
        mmr, spot_in_use = components.pop("mmr"), components.pop("spot_in_use")
        imr, upl = imr_factor * mmr, self._unit.upl(lot_upl_usd)
        return UnitFigures(
            unit=self._arrays.unit.name,
            account=self._unit.account,
            binding_code=self._binding,
            mmr=mmr,
            imr=imr,
            spot_in_use=spot_in_use,
            delta=totals[Sensitivity.DELTA],
            cash_delta=totals[Sensitivity.CASH_DELTA],
            gamma=totals[Sensitivity.GAMMA],
            theta=totals[Sensitivity.THETA],
            vega=totals[Sensitivity.VEGA],
            upl=upl,
            components=components,
            price_moves=self._arrays.price_moves,
            pnl=self._pnl.transpose(2, 1, 0),
            finite=self._finite and is_finite(imr) and is_finite(upl),
        )
