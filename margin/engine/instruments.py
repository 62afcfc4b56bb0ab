"""What can be held: kinds, styles, settlement groups, and the columnar table of derivatives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final, Self

import numpy as np
import numpy.typing as npt

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS_PER_DAY: Final = 86_400.0
DAYS_PER_YEAR: Final = 365.0
PERPETUAL_EXPIRY: Final = np.iinfo(np.int64).max


class Kind(StrEnum):
    SPOT = "spot"
    PERPETUAL = "perpetual"
    FUTURE = "future"
    OPTION = "option"


class Style(StrEnum):
    """LINEAR settles in a stable currency, INVERSE in the coin itself."""

    LINEAR = "linear"
    INVERSE = "inverse"


class OptionType(StrEnum):
    CALL = "call"
    PUT = "put"

    @property
    def sign(self) -> float:
        """+1 for a call, -1 for a put: the sign in the Black-76 formula."""
        return 1.0 if self is OptionType.CALL else -1.0


class Group(IntEnum):
    """Settlement group. Its order is the order in which stablecoin pairs are formed."""

    USDT = 0
    USDC = 1
    USD = 2

    @classmethod
    def of(cls, settle: str) -> Self:
        """USDT or USDC where the instrument settles so; USD for everything settled in the coin."""
        return cls[settle] if settle in ("USDT", "USDC") else cls["USD"]


@dataclass(frozen=True, slots=True)
class Instrument:
    """One listed contract as a document or a database row describes it.

    `mark` of a coin-settled option is in coins; of everything else in quote currency. `expiry` is None
    for spot and perpetuals; the four option fields are None for everything but options.
    """

    id: str
    kind: Kind
    underlying: str
    settle: str
    style: Style | None = None
    contract_size: float = 1.0
    mark: float | None = None
    expiry: datetime | None = None
    strike: float | None = None
    option_type: OptionType | None = None
    mark_iv: float | None = None
    forward: float | None = None


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970 UTC: the engine's exact representation of an instant."""
    return (moment - EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Instruments:
    """The derivatives of one market, columnar and sorted by (underlying, expiry, id); axis I.

    Fields that only options have hold harmless constants elsewhere (strike and forward 1, mark_iv 0), so
    that whole columns can be computed; `option` says where they mean something.

    Attributes
    ----------
    expiry : (I,) int64
        Microseconds since 1970 UTC; `PERPETUAL_EXPIRY` for perpetuals.
    sign : (I,) float64
        +1 for a call, -1 for a put, 0 for everything else.
    """

    ids: tuple[str, ...]
    underlyings: tuple[str, ...]
    underlying: npt.NDArray[np.int32]
    settle: tuple[str, ...]
    group: npt.NDArray[np.int8]
    option: npt.NDArray[np.bool_]
    perpetual: npt.NDArray[np.bool_]
    inverse: npt.NDArray[np.bool_]
    contract_size: npt.NDArray[np.float64]
    mark: npt.NDArray[np.float64]
    expiry: npt.NDArray[np.int64]
    strike: npt.NDArray[np.float64]
    sign: npt.NDArray[np.float64]
    mark_iv: npt.NDArray[np.float64]
    forward: npt.NDArray[np.float64]

    @classmethod
    def from_rows(cls, rows: Sequence[Instrument]) -> Self:
        """Columns of the derivatives among `rows`; spot instruments are left out."""
        derivatives = sorted(
            (row for row in rows if row.kind is not Kind.SPOT),
            key=lambda row: (row.underlying, _expiry_of(row), row.id),
        )
        underlyings = tuple(sorted({row.underlying for row in derivatives}))
        code = {coin: i for i, coin in enumerate(underlyings)}
        return cls(
            ids=tuple(row.id for row in derivatives),
            underlyings=underlyings,
            underlying=np.array([code[row.underlying] for row in derivatives], dtype=np.int32),
            settle=tuple(row.settle for row in derivatives),
            group=np.array([Group.of(row.settle) for row in derivatives], dtype=np.int8),
            option=np.array([row.kind is Kind.OPTION for row in derivatives], dtype=np.bool_),
            perpetual=np.array([row.kind is Kind.PERPETUAL for row in derivatives], dtype=np.bool_),
            inverse=np.array([row.style is Style.INVERSE for row in derivatives], dtype=np.bool_),
            contract_size=_column([row.contract_size for row in derivatives]),
            mark=_column([row.mark for row in derivatives]),
            expiry=np.array([_expiry_of(row) for row in derivatives], dtype=np.int64),
            strike=_column([row.strike for row in derivatives], absent=1.0),
            sign=_column([row.option_type.sign if row.option_type else 0.0 for row in derivatives]),
            mark_iv=_column([row.mark_iv for row in derivatives], absent=0.0),
            forward=_column([row.forward for row in derivatives], absent=1.0),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def is_same_listing(self, other: Self) -> bool:
        """Whether both list the same contracts: equal in all that does not change with the market."""
        return self is other or (
            (self.ids, self.underlyings, self.settle) == (other.ids, other.underlyings, other.settle)
            and all(
                np.array_equal(getattr(self, name), getattr(other, name))
                for name in ("option", "perpetual", "inverse", "contract_size", "expiry", "strike", "sign")
            )
        )

    @property
    def mark_or_one(self) -> npt.NDArray[np.float64]:
        """Marks with 1 in place of a worthless option's 0, to divide by; shape (I,)."""
        return np.where(self.mark > 0.0, self.mark, 1.0)

    def seconds_to_expiry(self, as_of: int) -> npt.NDArray[np.float64]:
        """Seconds from `as_of` (microseconds since 1970) to expiry, at least 0; 0 for perpetuals; (I,)."""
        remaining = np.where(self.perpetual, 0, self.expiry - as_of)
        return np.maximum(remaining, 0) / 1e6


def _expiry_of(row: Instrument) -> int:
    return PERPETUAL_EXPIRY if row.expiry is None else microseconds(row.expiry)


def _column(values: Sequence[float | None], absent: float = 1.0) -> npt.NDArray[np.float64]:
    return np.array([absent if value is None else value for value in values], dtype=np.float64)
