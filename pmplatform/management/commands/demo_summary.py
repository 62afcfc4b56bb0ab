from collections import Counter
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console, RenderableType
from rich.table import Table

from margin import selectors
from margin.choices import MarginStatus
from pmplatform.common.commands import FAILED, PlatformCommand

_WORST = 10
_WIDTH = 96


class Command(PlatformCommand):
    help = "Print accounts by status with equity and MMR, and the ten closest to liquidation."

    def handle(self, *args: Any, **options: Any) -> None:
        results = list(selectors.results_latest())
        if not results:
            raise CommandError("no run has been completed yet", returncode=FAILED)
        for table in (_by_status(results), _worst(results)):
            self.stdout.write(_drawn(table))


def _drawn(table: RenderableType) -> str:
    console = Console(width=_WIDTH)
    with console.capture() as drawing:
        console.print(table)
    return drawing.get()


def _usd(amount: Decimal) -> str:
    return f"{amount:,.0f}"


def _by_status(results: list[Any]) -> Table:
    table = Table(title=f"{len(results):,} accounts", title_justify="left")
    for name in ("status", "accounts", "net equity, USD", "MMR, USD"):
        table.add_column(name, justify="left" if name == "status" else "right")
    counts = Counter(result.status for result in results)
    for status in MarginStatus:
        mine = [result for result in results if result.status == status]
        if mine:
            equity, mmr = sum(r.net_equity for r in mine), sum(r.mmr for r in mine)
            table.add_row(status.value, f"{counts[status]:,}", _usd(equity), _usd(mmr))
    return table


def _worst(results: list[Any]) -> Table:
    table = Table(title=f"The {_WORST} closest to liquidation", title_justify="left")
    for name in ("account", "status", "adjusted equity, USD", "MMR, USD", "margin ratio"):
        table.add_column(name, justify="left" if name in ("account", "status") else "right")
    judged = sorted((r for r in results if r.margin_ratio is not None), key=lambda r: r.margin_ratio)
    for result in judged[:_WORST]:
        ratio = f"{result.margin_ratio:.1%}"
        table.add_row(
            result.account.code, result.status, _usd(result.adjusted_equity), _usd(result.mmr), ratio
        )
    return table
