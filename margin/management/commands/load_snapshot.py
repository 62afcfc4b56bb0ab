"""`load_snapshot FILE`: a market snapshot from a book document's market part, or a recorded option chain."""

from datetime import UTC
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from margin.engine.documents.schema import exact
from margin.engine.errors import DocumentError, Fault
from margin.feeds.chains import read_chain
from margin.market_states import snapshot_state
from margin.services.guarding import refusals_recorded
from margin.services.publishing import SnapshotDocument, snapshot_publish
from pmplatform.common.commands import BAD_INPUT, PlatformCommand
from pmplatform.common.errors import ValidationFailed
from pmplatform.common.strict_json import Numbers, strict_json_loads


class Command(PlatformCommand):
    help = (
        "Load a market snapshot: a JSON document with as_of, market and, where something has expired, "
        "settlement prices by instrument; or a Deribit option chain as CSV."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="FILE.json or FILE.csv")
        parser.add_argument(
            "--fx",
            action="append",
            default=[],
            metavar="USDT=0.9995",
            help="USD per stable coin, for a CSV; 1 if absent",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            document, source = _read(path, _rates(options["fx"])), path.suffix.lstrip(".")
            with refusals_recorded(source=source, as_of=document.as_of):
                snapshot = snapshot_publish(document=document, source=source, actor=self.actor)
        except DocumentError as error:
            raise CommandError(
                "\n".join(f"{path}: {fault}" for fault in error.faults), returncode=BAD_INPUT
            ) from error
        except (ValidationFailed, OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{path}: {error}", returncode=BAD_INPUT) from error
        self.stdout.write(
            f"snapshot {snapshot.sequence}: {snapshot.instruments} instruments as of {snapshot.as_of}"
        )
        for reason in snapshot_state(snapshot, snapshot.as_of).reasons:
            self.stdout.write(f"  {reason}")


def _rates(texts: list[str]) -> dict[str, float]:
    """USD per stable coin from `USDT=0.9995`; DocumentError at `--fx`."""
    rates = {}
    for text in texts:
        name, _, rate = text.partition("=")
        number = exact(rate)
        if name not in ("USDT", "USDC") or number is None or number <= 0:
            raise DocumentError([Fault("--fx", f"must be USDT=RATE or USDC=RATE, not {text}")])
        rates[name] = float(number)
    return rates


def _read(path: Path, fx: dict[str, float]) -> SnapshotDocument:
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as lines:
            chain = read_chain(lines, fx)
        return SnapshotDocument(chain.as_of.astimezone(UTC), chain.market)
    document = strict_json_loads(path.read_bytes(), numbers=Numbers.FLOAT)
    return SnapshotDocument.of(document, besides=True)
