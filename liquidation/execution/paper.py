"""Execution on paper: every order fills at once and whole, at mark and at the cost of the model."""

from liquidation.execution.port import OrderRequest, Report, ReportStatus, VenueFill


class PaperPort:
    """The default venue; what it does is what the plan said."""

    is_immediate = True

    def send(self, order: OrderRequest) -> Report:
        fill = VenueFill("paper", order.quantity, order.mark, order.fee, order.fee_currency)
        return Report(order.key, ReportStatus.FILLED, (fill,))

    def ask(self, key: str) -> Report | None:
        return None
