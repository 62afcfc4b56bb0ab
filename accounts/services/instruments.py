"""Contract specifications."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from accounts import rules
from accounts.choices import ContractStyle, InstrumentKind, InstrumentState, OptionType
from accounts.documents import InstrumentDocument
from accounts.models import Instrument
from accounts.services.changes import faults_refuse
from pmplatform.common.errors import FieldError
from pmplatform.common.strict_json import key_path

_STABLE = frozenset({"USDT", "USDC"})
_SPECIFICATION = ("kind", "underlying", "settle", "style", "contract_size", "expiry", "strike", "option_type")


def instruments_upsert(
    *, instruments: Sequence[InstrumentDocument], path: str = "market.instruments"
) -> dict[str, int]:
    """List instruments that are new, and give the row id of each by its code.

    A listed contract's terms never change, so one that differs from what is listed is refused.

    Raises
    ------
    ValidationFailed
        With every fault, under ``path``.
    """
    faults_refuse(_faults(instruments, path))
    rows = [_row(document) for document in instruments]
    Instrument.objects.bulk_create(rows, batch_size=2_000, ignore_conflicts=True)
    listed = {row.code: row for row in Instrument.objects.filter(code__in=[row.code for row in rows])}
    faults_refuse(
        FieldError(f"{path}[{index}]", f"differs from the listed {row.code} in {', '.join(changed)}")
        for index, row in enumerate(rows)
        if (changed := _differences(row, listed[row.code]))
    )
    return {code: row.pk for code, row in listed.items()}


def instruments_expire(*, codes: Iterable[str]) -> int:
    """Mark settled instruments as expired, and give how many were not yet."""
    listed = Instrument.objects.filter(code__in=list(codes), state=InstrumentState.LISTED)
    return listed.update(state=InstrumentState.EXPIRED)


def _faults(instruments: Sequence[InstrumentDocument], path: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, document in enumerate(instruments):
        place = f"{path}[{index}]"
        if document.id in seen:
            yield FieldError(key_path(place, "id"), "is given twice")
        seen.add(document.id)
        yield from _instrument_faults(document, place)


def _instrument_faults(document: InstrumentDocument, path: str) -> Iterator[FieldError]:
    if not 0 < len(document.id) <= 64:
        yield FieldError(key_path(path, "id"), "is not 1 to 64 characters")
    yield from rules.currency_faults(document.underlying, key_path(path, "underlying"))
    yield from rules.currency_faults(document.settle, key_path(path, "settle"))
    yield from rules.positive_faults(document.contract_size, key_path(path, "contract_size"))
    if document.kind not in InstrumentKind:
        yield FieldError(key_path(path, "kind"), f"is none of {', '.join(InstrumentKind.values)}")
        return
    yield from _style_faults(document, path)
    yield from _dated_faults(document, path)


def _style_faults(document: InstrumentDocument, path: str) -> Iterator[FieldError]:
    if document.kind == InstrumentKind.SPOT:
        if document.style is not None:
            yield FieldError(key_path(path, "style"), "does not belong to spot")
        if document.contract_size != 1:
            yield FieldError(key_path(path, "contract_size"), "of spot is 1")
    elif document.style not in ContractStyle:
        yield FieldError(key_path(path, "style"), "is neither linear nor inverse")
    elif document.style == ContractStyle.LINEAR and document.settle not in _STABLE:
        yield FieldError(key_path(path, "settle"), "of a linear contract is USDT or USDC")
    elif document.style == ContractStyle.INVERSE and document.settle != document.underlying:
        yield FieldError(key_path(path, "settle"), "of an inverse contract is its underlying")


def _dated_faults(document: InstrumentDocument, path: str) -> Iterator[FieldError]:
    is_option = document.kind == InstrumentKind.OPTION
    is_dated = is_option or document.kind == InstrumentKind.FUTURE
    for name, belongs in (("expiry", is_dated), ("strike", is_option), ("option_type", is_option)):
        given = getattr(document, name) is not None
        if given != belongs:
            problem = "is missing" if belongs else f"does not belong to {document.kind}"
            yield FieldError(key_path(path, name), problem)
    if document.expiry is not None:
        yield from _expiry_faults(document.expiry, key_path(path, "expiry"))
    if document.strike is not None:
        yield from rules.positive_faults(document.strike, key_path(path, "strike"))
    if document.option_type is not None and document.option_type not in OptionType:
        yield FieldError(key_path(path, "option_type"), "is neither call nor put")


def _expiry_faults(expiry: datetime, path: str) -> Iterator[FieldError]:
    if expiry.tzinfo is None:
        yield FieldError(path, "has no time zone")


def _row(document: InstrumentDocument) -> Instrument:
    terms = {name: getattr(document, name) for name in _SPECIFICATION}
    return Instrument(code=document.id, **terms)


def _differences(wanted: Instrument, listed: Instrument) -> list[str]:
    return [name for name in _SPECIFICATION if getattr(wanted, name) != getattr(listed, name)]
