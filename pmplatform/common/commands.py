"""Base of the management commands: expected errors become one line and an exit code."""

import logging
import uuid
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError

from pmplatform.common.errors import NotFound, PlatformError, ValidationFailed
from pmplatform.common.principals import Actor

FAILED = 1
BAD_INPUT = 2


class PlatformCommand(BaseCommand):
    """Exit code 0: done, 1: failed, 2: bad input, the reason on stderr; stdout has nothing but the result."""

    requires_system_checks = ()

    #: Whether it goes on until it is stopped, and its stderr is the log of a server.
    serves: ClassVar[bool] = False

    def execute(self, *args: Any, **options: Any) -> str | None:
        if not self.serves:
            # Which messages woke the workers: nobody reads that in the middle of a progress bar.
            logging.getLogger("django_structlog.celery").setLevel(logging.WARNING)
        try:
            return super().execute(*args, **options)
        except (ValidationFailed, NotFound) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        except PlatformError as error:
            raise CommandError(str(error), returncode=FAILED) from error

    @property
    def actor(self) -> Actor:
        """Whoever has the shell; each run is a request of its own."""
        return Actor(name="command line", request_id=uuid.uuid4().hex)
