"""Which venue this installation trades at."""

from functools import lru_cache

from django.conf import settings

from liquidation.execution.paper import PaperPort
from liquidation.execution.port import ExecutionPort
from liquidation.execution.webhook import WebhookPort


@lru_cache(maxsize=1)
def execution_port() -> ExecutionPort:
    """Paper, unless the settings name a venue."""
    if settings.PM_EXECUTION_URL:
        return WebhookPort(settings.PM_EXECUTION_URL, settings.PM_EXECUTION_SECRET)
    return PaperPort()
