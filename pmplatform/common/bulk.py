"""Bulk writes by COPY: one round trip for any number of rows."""

from collections.abc import Iterable, Sequence

from django.db import connection
from psycopg import sql


def ids_reserve(*, table: str, count: int) -> list[int]:
    """Take ``count`` ids, ascending, from the sequence behind ``table.id``."""
    query = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
    with connection.cursor() as cursor:
        cursor.execute(query, [table, count])
        return [row[0] for row in cursor.fetchall()]


def rows_copy(
    *, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]], types: Sequence[str] = ()
) -> None:
    """COPY rows into ``table``. Constraints hold as ever; model defaults and signals do not apply.

    JSON columns take JSON text. A numeric beyond its scale would be rounded: check amounts before. Where the
    ``types`` of the columns are named, values go as they are, which spares bytes their hexadecimal form.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN {}").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL("(FORMAT BINARY)" if types else ""),
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        if types:
            copy.set_types(types)
        for row in rows:
            copy.write_row(row)
