"""A worker's refusal of a broker that may drop tasks: one whose memory policy evicts keys."""

from typing import Any

from celery import bootsteps
from django.core.exceptions import ImproperlyConfigured

SAFE_POLICY = "noeviction"


class RefuseEviction(bootsteps.StartStopStep):
    """Looks at each connection, so at the start and after every reconnection."""

    requires = ("celery.worker.consumer.connection:Connection",)

    def start(self, parent: Any) -> None:
        """Raise ImproperlyConfigured, which ends the worker, unless the broker evicts nothing."""
        # A connection of its own: the worker's may be waiting for the answer to another command.
        with parent.connection.clone() as connection:
            policy = connection.default_channel.client.info("memory").get("maxmemory_policy")
        if policy != SAFE_POLICY:
            raise ImproperlyConfigured(
                f"The broker's maxmemory-policy is {policy}: it may drop tasks. Set it to {SAFE_POLICY}."
            )
