"""Django's PostgreSQL, asking a kept connection whether it is alive only at a sign that it is not."""

import select
from typing import Final

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

_WELL: Final = (TransactionStatus.IDLE, TransactionStatus.INTRANS)


class DatabaseWrapper(base.DatabaseWrapper):
    """Spares each request and each task the round trip of its health check."""

    def is_usable(self) -> bool:
        """Whether the connection can be used; not asked while it is well and nothing has arrived on it.

        A server that ended the session, or ended, has sent its end. One that vanished with its host has not,
        but would not answer a question either before the connection's time is over. In a transaction that
        has failed the server takes no statement.
        """
        if self.connection is None or self.connection.info.transaction_status not in _WELL:
            return super().is_usable()
        arrived = select.poll()
        arrived.register(self.connection.fileno(), select.POLLIN)
        return not arrived.poll(0) or super().is_usable()
