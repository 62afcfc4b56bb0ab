"""Sparse row products: the one place where quantities meet risk arrays."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import _sparsetools, csr_array

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SparseRows:
    """CSR rows without duplicates; row r holds `data[indptr[r]:indptr[r + 1]]`."""

    indptr: Ints
    indices: Ints
    data: Floats

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def dot(self, dense: Floats) -> Floats:
        """The product with a dense (columns, K) matrix; shape (rows, K).

        Each row is summed in the order of its entries, whatever stands around it, so an account's bits do
        not depend on its shard. SciPy's own kernel is called directly to spare the checks of the public
        product, which costs more than the arithmetic for a single book.
        """
        out = np.zeros((len(self), dense.shape[1]))
        dense = np.ascontiguousarray(dense)
        _sparsetools.csr_matvecs(
            len(self),
            dense.shape[0],
            dense.shape[1],
            self.indptr,
            self.indices,
            self.data,
            dense.ravel(),
            out.ravel(),
        )
        return out

    def dot_public(self, dense: Floats) -> Floats:
        """The same by SciPy's public product; tests hold the two against each other."""
        matrix = csr_array((self.data, self.indices, self.indptr), shape=(len(self), dense.shape[0]))
        return np.asarray(matrix @ dense)


def group_sums(indptr: Ints) -> SparseRows:
    """Rows that add up consecutive groups: row g sums entries `indptr[g]:indptr[g + 1]`."""
    count = int(indptr[-1])
    return SparseRows(indptr, np.arange(count, dtype=np.int32), np.ones(count))


def pointers(sorted_keys: Ints, groups: int) -> Ints:
    """CSR pointers of ascending keys 0..groups-1; shape (groups + 1,)."""
    return np.searchsorted(sorted_keys, np.arange(groups + 1)).astype(np.int32)
