"""Columns to bytes and back, deterministically: equal values give equal bytes."""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class _Packed(msgspec.Struct):
    header: dict[str, Any]
    # Data type, shape and data of each column.
    columns: dict[str, tuple[str, tuple[int, ...], memoryview]]


def columns_pack(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """A header of plain values, and columns by name."""
    columns = {
        name: (array.dtype.str, array.shape, np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        for name, array in arrays.items()
    }
    return msgspec.msgpack.encode({"header": dict(header), "columns": columns}, order="deterministic")


def columns_unpack(content: bytes | memoryview) -> tuple[dict[str, Any], dict[str, Array]]:
    """Header and columns, as read-only views of the content; a column of records has lost its names."""
    packed = msgspec.msgpack.decode(content, type=_Packed)
    arrays = {
        name: np.frombuffer(data, dtype=np.dtype(kind)).reshape(shape)
        for name, (kind, shape, data) in packed.columns.items()
    }
    return packed.header, arrays
