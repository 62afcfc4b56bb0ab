"""Differences and impact reports as lines of text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from margin.engine.parameters.diff import Change
from margin.models import ImpactReport

_CENT = 0.01
_BAR = 40


def change_lines(changes: Sequence[Change]) -> Iterator[str]:
    """One line for each change: path, old, new, and by how much."""
    if not changes:
        yield "no change"
    for change in changes:
        relative = change.relative
        share = "" if relative is None else f"  ({relative:+.1%})"
        yield f"{change.path}: {value_text(change.old)} -> {value_text(change.new)}{share}"


def value_text(value: Any) -> str:
    """A value of a document, short; what is absent is a dash."""
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {value_text(entry)}" for name, entry in value.items())
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def impact_lines(report: ImpactReport) -> Iterator[str]:
    """The report of a completed comparison, its twenty largest changes last."""
    found: Any = report.report
    yield f"{report.base} -> {report.proposed.version}, market of {report.snapshot.as_of:%Y-%m-%d %H:%M:%S}Z"
    yield f"{found['accounts']} accounts compared, {found['blocked']} could not be margined before"
    for name in ("mmr", "imr"):
        yield f"{name.upper()} {_moved(found[name])}"
    for name in ("liquidatable", "warned", "refused"):
        listed = found[f"newly_{name}"]
        codes = ", ".join(entry["code"] for entry in listed["accounts"][:10])
        yield f"newly {name}: {listed['count']}" + (f" ({codes})" if codes else "")
    yield f"newly without margin: {report.newly_blocked}"
    yield "change of MMR by account:"
    yield from _histogram(found["histogram"])
    yield "largest changes of MMR:"
    for row in found["largest"]:
        yield f"  {row['code']}: {_moved(row['mmr'])}; {_components(row['components'])}"


def _moved(figure: Mapping[str, Any]) -> str:
    ratio = figure["ratio"]
    share = "" if ratio is None else f", {ratio:+.2%}"
    return f"{figure['before']:,.2f} -> {figure['after']:,.2f} USD ({figure['change']:+,.2f}{share})"


def _components(rows: Sequence[Mapping[str, Any]]) -> str:
    """The three components of the largest change, without what is less than a cent."""
    moved = [row for row in rows if abs(row["change"]) >= _CENT]
    ranked = sorted(moved, key=lambda row: -abs(row["change"]))[:3]
    return ", ".join(f"{row['unit']} {row['component']} {row['change']:+,.2f}" for row in ranked)


def _histogram(columns: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    most = max((column["accounts"] for column in columns), default=0) or 1
    for column in columns:
        bar = "#" * round(_BAR * column["accounts"] / most)
        yield f"  {bin_label(column['from'], column['to']):>18} {column['accounts']:>8,} {bar}".rstrip()


def bin_label(low: float | None, high: float | None) -> str:
    """The ends of a bin of the histogram in per cent."""
    if low is None:
        return f"below {high:+.0%}"
    return f"{low:+.0%} and more" if high is None else f"{low:+.0%} to {high:+.0%}"
