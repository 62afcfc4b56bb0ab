"""Sparse row products: the one place where quantities meet risk arrays."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import _sparsetools, csr_array

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SparseRows:
    """CSR rows without duplicates; row r holds `data[indptr[r]:indptr[r + 1]]`.

    The pointers need not begin at 0: a range of rows shares the entries of the whole.
    """

    indptr: Ints
    indices: Ints
    data: Floats

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def part(self, rows: slice) -> Self:
        """A range of rows over the same entries."""
        return type(self)(self.indptr[rows.start : rows.stop + 1], self.indices, self.data)

    def dot(self, dense: Floats, out: Floats | None = None) -> Floats:
        """The product with a dense (columns, K) matrix; shape (rows, K), in `out` where that is given.

        Each row is summed in the order of its entries, whatever stands around it, so an account's bits do
        not depend on its shard. SciPy's own kernel is called directly to spare the checks of the public
        product, which costs more than the arithmetic for a single book.
        """
        count, width = len(self), dense.shape[1]
        dense = np.ascontiguousarray(dense)
        if out is None:
            out = np.zeros((count, width))
        else:
            out.fill(0.0)
        _sparsetools.csr_matvecs(
            count,
            dense.shape[0],
            width,
            self.indptr,
            self.indices,
            self.data,
            dense.ravel(),
            out.ravel(),
        )
        return out

    def dot_column(self, column: Floats) -> Floats:
        """The product with one dense column (columns,), as `dot`; shape (rows,)."""
        out = np.zeros(len(self))
        _sparsetools.csr_matvec(
            len(self), len(column), self.indptr, self.indices, self.data, np.ascontiguousarray(column), out
        )
        return out

    def dot_public(self, dense: Floats) -> Floats:
        """The same by SciPy's public product; tests hold the two against each other."""
        entries = slice(self.indptr[0], self.indptr[-1])
        matrix = csr_array(
            (self.data[entries], self.indices[entries], self.indptr - self.indptr[0]),
            shape=(len(self), dense.shape[0]),
        )
        return np.asarray(matrix @ dense)


def group_sums(indptr: Ints) -> SparseRows:
    """Rows that add up consecutive groups: row g sums entries `indptr[g]:indptr[g + 1]`, the first from 0."""
    return SparseRows(indptr, *_each_once(1 << int(indptr[-1]).bit_length()))


@lru_cache(maxsize=32)
def _each_once(count: int) -> tuple[Ints, Floats]:
    """Every entry once. All groups share these numbers, which then are in a processor's cache already."""
    numbers, ones = np.arange(count, dtype=np.int32), np.ones(count)
    numbers.flags.writeable = ones.flags.writeable = False
    return numbers, ones


def pointers(sorted_keys: npt.NDArray[np.integer[Any]], groups: int) -> Ints:
    """CSR pointers of ascending keys 0..groups-1; shape (groups + 1,)."""
    indptr = np.zeros(groups + 1, dtype=np.int32)
    np.cumsum(np.bincount(sorted_keys, minlength=groups), out=indptr[1:])
    return indptr
