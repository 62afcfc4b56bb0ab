"""Agreement of a margin report with the oracle's: equal up to rounding, and ties resolved either way."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.reference.book import Json

RELATIVE = 1e-9
OF_GROSS = 0.01

UNIT_USD = ("mmr", "imr", "cash_delta", "theta", "vega", "upl")
UNIT_COINS = ("spot_in_use", "delta")
CURRENCY_AMOUNTS = ("cash", "upl", "option_value", "equity")
CURRENCY_USD = ("usd_value", "discounted_usd", "liability_usd", "borrow_mmr", "borrow_imr")
ACCOUNT_USD = (
    "net_equity",
    "adjusted_equity",
    "upl",
    "derivatives_mmr",
    "derivatives_imr",
    "borrow_mmr",
    "borrow_imr",
    "mmr",
    "imr",
    "liquidation_fee",
)
ACCOUNT_LOSSES = ("haircut_loss", "order_loss")


class Disagreement(AssertionError):
    """Two reports differ; the message starts with the path of the field."""


def assert_reports_agree(actual: Json, expected: Json, rel: float = RELATIVE) -> None:
    """Fail at the first field of ``actual`` that differs from ``expected``, the oracle's report.

    A figure agrees within ``rel`` of itself plus a hundredth of ``rel`` of everything that was added up to
    get it: sums may cancel. Any tied order set may be the binding one and any tied cell the worst one.
    """
    Comparison(rel).agree_reports(actual, expected)


@dataclass(frozen=True)
class Comparison:
    """One tolerance, and the walk through two reports with it."""

    rel: float

    @property
    def of_gross(self) -> float:
        """Tolerance in terms of the size of what was added up."""
        return OF_GROSS * self.rel

    def agree_reports(self, actual: Json, expected: Json) -> None:
        equal("methodology", actual["methodology"], expected["methodology"])
        equal("parameters.version", actual["parameters"]["version"], expected["parameters"]["version"])
        for mine, theirs in paired("risk_units", "unit", actual, expected):
            self.agree_unit(f"risk_units[{theirs['unit']}]", mine, theirs)
        for mine, theirs in paired("currencies", "currency", actual, expected):
            self.agree_currency(f"currencies[{theirs['currency']}]", mine, theirs)
        self.agree_account("account", actual["account"], expected["account"])
        self.agree_withdrawable(actual, expected)

    def agree_unit(self, path: str, actual: Json, expected: Json) -> None:
        candidates = [expected, *expected.get("tied", [])]
        chosen = [unit for unit in candidates if unit["binding"] == actual["binding"]]
        if not chosen:
            raise Disagreement(
                f"{path}.binding: {actual['binding']!r}, not {[u['binding'] for u in candidates]}"
            )
        theirs = chosen[0]
        usd, coins, gamma = (float(theirs["gross"][name]) for name in ("usd", "coins", "gamma"))
        self.agree_fields(
            f"{path}.components", actual["components"], theirs["components"], theirs["components"], usd
        )
        self.agree_scenarios(path, actual, theirs, usd)
        self.agree_fields(path, actual, theirs, UNIT_USD, usd)
        self.agree_fields(path, actual, theirs, UNIT_COINS, coins)
        self.agree_fields(path, actual, theirs, ("gamma",), gamma)

    def agree_scenarios(self, path: str, actual: Json, expected: Json, gross: float) -> None:
        """The whole grid, and a worst cell that is one of the lowest."""
        if expected["scenarios"] is None:
            equal(f"{path}.scenarios", actual["scenarios"], None)
            equal(f"{path}.worst", actual["worst"], None)
            return
        mine, theirs = actual["scenarios"], expected["scenarios"]
        equal(f"{path}.scenarios.price_moves", list(mine["price_moves"]), list(theirs["price_moves"]))
        equal(f"{path}.scenarios.vol_shifts", list(mine["vol_shifts"]), list(theirs["vol_shifts"]))
        self.agree_grid(f"{path}.scenarios.pnl", mine["pnl"], theirs["pnl"], gross)
        worst = actual["worst"]
        row = theirs["price_moves"].index(worst["price_move"])
        column = theirs["vol_shifts"].index(worst["vol_shift"])
        self.agree(f"{path}.worst (its cell)", theirs["pnl"][row][column], expected["worst"]["pnl"], gross)
        self.agree(f"{path}.worst.pnl", worst["pnl"], expected["worst"]["pnl"], gross)

    def agree_grid(
        self, path: str, actual: Sequence[Sequence[float]], expected: Sequence[Sequence[float]], gross: float
    ) -> None:
        equal(f"{path} (shape)", [len(row) for row in actual], [len(row) for row in expected])
        for i, row in enumerate(expected):
            for j, cell in enumerate(row):
                self.agree(f"{path}[{i}][{j}]", actual[i][j], cell, gross)

    def agree_currency(self, path: str, actual: Json, expected: Json) -> None:
        gross, price = float(expected["gross"]), float(expected["price"])
        self.agree_fields(path, actual, expected, CURRENCY_AMOUNTS, gross)
        self.agree_fields(path, actual, expected, CURRENCY_USD, gross * price)

    def agree_account(self, path: str, actual: Json, expected: Json) -> None:
        gross = float(expected["gross"])
        equal(f"{path}.id", actual["id"], expected["id"])
        self.agree_fields(path, actual, expected, ACCOUNT_USD, gross)
        self.agree_fields(path, actual, expected, [name for name in ACCOUNT_LOSSES if name in actual], gross)
        base = equity_base(expected)
        self.agree_quotients(path, actual, expected, ("margin_ratio", "mmr_rate", "imr_rate"), base)
        self.agree_quotients(path, actual, expected, ("leverage",), float(expected["adjusted_equity"]))
        equal(f"{path}.status", actual["status"], expected["status"])

    def agree_quotients(
        self, path: str, actual: Json, expected: Json, names: Iterable[str], base: float
    ) -> None:
        """Quotients over, or of, an equity base: as sharp as the base, and undefined where it is rounding."""
        blur = self.of_gross * float(expected["gross"])
        if abs(base) <= blur and base != 0.0:
            return
        relative = blur / abs(base) if base else 0.0
        requirement = float(expected["mmr"]) + float(expected["liquidation_fee"])
        for name in names:
            mine, theirs = actual[name], expected[name]
            if name == "margin_ratio" and 0.0 < requirement <= blur:
                continue
            if mine is None or theirs is None:
                equal(f"{path}.{name}", mine, theirs)
                continue
            blurred = relative + (blur / requirement if name == "margin_ratio" else 0.0)
            self.agree(f"{path}.{name}", mine, theirs, abs(theirs) * blurred / self.of_gross)

    def agree_withdrawable(self, actual: Json, expected: Json) -> None:
        """What can leave the account, where reported; left out where a tied set holds back another amount."""
        tied = {unit["unit"] for unit in expected["risk_units"] if unit.get("tied")}
        for mine, theirs in zip(actual["currencies"], expected["currencies"], strict=True):
            if "withdrawable" in mine and theirs["currency"] not in tied:
                gross = float(theirs["gross"]) + 100.0 * float(expected["account"]["gross"]) / theirs["price"]
                path = f"currencies[{theirs['currency']}].withdrawable"
                self.agree(path, mine["withdrawable"], theirs["withdrawable"], gross)

    def agree_fields(
        self, path: str, actual: Json, expected: Json, names: Iterable[str], gross: float
    ) -> None:
        for name in names:
            if name not in actual:
                raise Disagreement(f"{path}.{name}: missing")
            self.agree(f"{path}.{name}", actual[name], expected[name], gross)

    def agree(self, path: str, actual: Any, expected: float, gross: float) -> None:
        """One figure, ``gross`` being the size of the terms that it sums."""
        if actual is None:
            raise Disagreement(f"{path}: None, expected {expected!r}")
        difference = abs(float(actual) - expected)
        if not difference <= self.rel * abs(expected) + self.of_gross * gross:
            raise Disagreement(
                f"{path}: {float(actual)!r}, expected {expected!r}"
                f" (off by {difference:.3g}, gross {gross:.3g})"
            )


def paired(section: str, key: str, actual: Json, expected: Json) -> Iterable[tuple[Json, Json]]:
    """Entries of a section side by side; the two must list the same names in the same order."""
    equal(section, [item[key] for item in actual[section]], [item[key] for item in expected[section]])
    return zip(actual[section], expected[section], strict=True)


def equity_base(account: Json) -> float:
    """Adjusted equity less what open orders would cost."""
    haircut, lost = account.get("haircut_loss", 0.0), account.get("order_loss", 0.0)
    return float(account["adjusted_equity"] - haircut + lost)


def equal(path: str, actual: Any, expected: Any) -> None:
    if actual != expected:
        raise Disagreement(f"{path}: {actual!r}, expected {expected!r}")
