"""What the engine is measured against, on the same book: each does one thing only, as fast as it can be."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.special import ndtr

from margin.engine.book import Book
from margin.engine.market import Market

Floats = npt.NDArray[np.float64]

_MOVES = np.linspace(-0.15, 0.15, 7)
_VOL_FACTORS = np.array([0.65, 1.0, 1.35])


def quantities(book: Book, market: Market) -> csr_array:
    """(A, I) the positions of a book as SciPy's own sparse matrix."""
    positions = book.positions
    indptr = np.searchsorted(positions.account, np.arange(len(book) + 1))
    shape = (len(book), len(market.instruments))
    return csr_array((positions.quantity, positions.instrument, indptr), shape=shape)


class TwoNdtr:
    """Two calls of the normal distribution on so many rows and columns: no option formula does with less."""

    def __init__(self, rows: int, columns: int) -> None:
        self._arguments = np.random.default_rng(1).normal(size=(2, rows, columns))

    def __call__(self) -> None:
        ndtr(self._arguments[0])
        ndtr(self._arguments[1])


@dataclass(frozen=True, eq=False)
class Broadcast:
    """MR1 alone, account by account: the account's own contracts repriced in 21 cells by one broadcast.

    Columns of contracts (I,) are made ready beforehand, as a careful author would.
    """

    size: Floats
    forward: Floats
    strike: Floats
    stdev: Floats
    sign: Floats
    spot: Floats
    value: Floats
    option: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, market: Market) -> "Broadcast":
        """The columns of a market."""
        table = market.instruments
        stdev = np.maximum(table.mark_iv * np.sqrt(market.years), 1e-9)
        coin = np.where(table.inverse & ~table.option, 1.0 / table.mark_or_one, 1.0)
        value = table.mark * market.spot
        spot = np.asarray(market.spot)
        return cls(
            table.contract_size * coin,
            table.forward,
            table.strike,
            stdev,
            table.sign,
            spot,
            value,
            table.option,
        )

    def worst_loss(self, instrument: npt.NDArray[np.int32], quantity: Floats) -> float:
        """MR1 of one account."""
        forward = self.forward[instrument, None] + self.spot[instrument, None] * _MOVES
        strike, sign = self.strike[instrument, None, None], self.sign[instrument, None, None]
        stdev = self.stdev[instrument, None, None] * _VOL_FACTORS[:, None]
        shocked = np.maximum(forward, 1e-9)[:, None, :]
        d1 = np.log(shocked / strike) / stdev + 0.5 * stdev
        options = sign * (shocked * ndtr(sign * d1) - strike * ndtr(sign * (d1 - stdev)))
        options = options - self.value[instrument, None, None]
        futures = (self.spot[instrument, None] * _MOVES)[:, None, :]
        change = np.where(self.option[instrument, None, None], options, futures)
        pnl = (quantity * self.size[instrument]) @ change.reshape(len(instrument), -1)
        return max(-float(pnl.min()), 0.0)

    def run(self, book: Book, accounts: int) -> list[float]:
        """MR1 of the first accounts of a book, one after the other."""
        positions = book.positions
        indptr = np.searchsorted(positions.account, np.arange(accounts + 1)).tolist()
        return [
            self.worst_loss(positions.instrument[start:stop], positions.quantity[start:stop])
            for start, stop in pairwise(indptr)
        ]
