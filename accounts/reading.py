"""PURE: plain JSON values to account documents, with the path of every fault."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from accounts.documents import AccountDocument, HedgeLimitDocument, OrderDocument, PositionDocument
from pmplatform.common.decimals import decimal_of
from pmplatform.common.errors import FieldError
from pmplatform.common.strict_json import key_path

_ACCOUNT = frozenset(AccountDocument.__dataclass_fields__)
_HEDGE_LIMIT = frozenset(HedgeLimitDocument.__dataclass_fields__)
_POSITION = frozenset(PositionDocument.__dataclass_fields__)
_ORDER = frozenset(OrderDocument.__dataclass_fields__)


def account_documents_read(
    documents: Sequence[object], path: str
) -> tuple[list[AccountDocument], list[FieldError]]:
    """Read the account parts of book documents, each with its ``methodology`` among its members.

    Only form is checked here: members known and present, texts, amounts. ``rules`` judges the values. The
    second part of the answer is every fault, under ``path``; what is at fault reads as a harmless value.
    """
    reading = _Reading()
    read = [reading.account(document, f"{path}[{index}]") for index, document in enumerate(documents)]
    return read, reading.faults


class _Reading:
    """Reads on after a fault, with a harmless value in its place, so that all faults are found at once."""

    def __init__(self) -> None:
        self.faults: list[FieldError] = []

    def account(self, value: object, path: str) -> AccountDocument:
        members = self._members(value, _ACCOUNT, path)
        limits = self._mapping(members.get("hedge_limits"), key_path(path, "hedge_limits"))
        balances = self._mapping(members.get("balances"), key_path(path, "balances"))
        return AccountDocument(
            id=self._text(members, "id", path),
            methodology=self._text(members, "methodology", path),
            hedge_mode=self._text_or_none(members, "hedge_mode", path),
            hedge_limits={coin: self._hedge_limit(limit, place) for coin, limit, place in limits},
            balances={currency: self._amount(amount, place) for currency, amount, place in balances},
            positions=tuple(self._position(*item) for item in self._items(members, "positions", path)),
            orders=tuple(self._order(*item) for item in self._items(members, "orders", path)),
            name=self._text_or_none(members, "name", path) or "",
        )

    def _hedge_limit(self, value: object, path: str) -> HedgeLimitDocument:
        members = self._members(value, _HEDGE_LIMIT, path)
        most = members.get("max_amount")
        return HedgeLimitDocument(
            ratio=self._amount(members.get("ratio", 1), key_path(path, "ratio")),
            max_amount=None if most is None else self._amount(most, key_path(path, "max_amount")),
        )

    def _position(self, value: object, path: str) -> PositionDocument:
        members = self._members(value, _POSITION, path)
        return PositionDocument(
            instrument=self._text(members, "instrument", path),
            quantity=self._amount(members.get("quantity"), key_path(path, "quantity")),
            entry_price=self._amount(members.get("entry_price"), key_path(path, "entry_price")),
        )

    def _order(self, value: object, path: str) -> OrderDocument:
        members = self._members(value, _ORDER, path)
        return OrderDocument(
            instrument=self._text(members, "instrument", path),
            side=self._text(members, "side", path),
            quantity=self._amount(members.get("quantity"), key_path(path, "quantity")),
            price=self._amount(members.get("price"), key_path(path, "price")),
        )

    def _members(self, value: object, known: frozenset[str], path: str) -> Mapping[str, object]:
        if value is None:
            self._fault(path, "is missing")
        members = {name: member for name, member, _ in self._mapping(value, path)}
        for name in members.keys() - known:
            self._fault(key_path(path, name), "is not a known field")
        return members

    def _mapping(self, value: object, path: str) -> Iterator[tuple[str, object, str]]:
        """Key, value and path of each member; an absent object is an empty one."""
        if isinstance(value, Mapping):
            yield from ((str(key), member, key_path(path, str(key))) for key, member in value.items())
        elif value is not None:
            self._fault(path, "is not an object")

    def _items(self, members: Mapping[str, object], name: str, path: str) -> Iterator[tuple[object, str]]:
        value, place = members.get(name), key_path(path, name)
        if isinstance(value, list | tuple):
            yield from ((item, f"{place}[{index}]") for index, item in enumerate(value))
        elif value is not None:
            self._fault(place, "is not an array")

    def _text(self, members: Mapping[str, object], name: str, path: str) -> str:
        text = self._text_or_none(members, name, path)
        if text is None and members.get(name) is None:
            self._fault(key_path(path, name), "is missing")
        return text or ""

    def _text_or_none(self, members: Mapping[str, object], name: str, path: str) -> str | None:
        value = members.get(name)
        if value is None or isinstance(value, str):
            return value
        self._fault(key_path(path, name), "is not a text")
        return None

    def _amount(self, value: object, path: str) -> Decimal:
        amount = decimal_of(value)
        if amount is None:
            self._fault(path, "is missing" if value is None else "is not a decimal number")
        return amount or Decimal(0)

    def _fault(self, path: str, message: str) -> None:
        self.faults.append(FieldError(path, message))
