"""Database triggers, as migration operations."""

from django.db import migrations

APPEND_ONLY_FUNCTION = migrations.RunSQL(
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation';
    END $$
    """,
    "DROP FUNCTION refuse_change()",
)


def append_only(table: str) -> migrations.RunSQL:
    """Make ``table`` refuse UPDATE, DELETE and TRUNCATE (needs ``APPEND_ONLY_FUNCTION``)."""
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """,
        f"DROP TRIGGER {table}_append_only ON {table}",
    )


def notify_on_insert(table: str, channel: str) -> migrations.RunSQL:
    """Send a bare NOTIFY on ``channel`` when a transaction that inserted into ``table`` commits."""
    return migrations.RunSQL(
        f"""
        CREATE FUNCTION {table}_notify() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('{channel}', '');
            RETURN NULL;
        END $$;
        CREATE TRIGGER {table}_notify AFTER INSERT ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION {table}_notify()
        """,
        f"DROP TRIGGER {table}_notify ON {table}; DROP FUNCTION {table}_notify()",
    )


RETENTION_FUNCTION = migrations.RunSQL(
    """
    CREATE FUNCTION refuse_change_but_retention() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND current_setting('pm.retention', true) = 'on' THEN
            RETURN NULL;
        END IF;
        RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation';
    END $$
    """,
    "DROP FUNCTION refuse_change_but_retention()",
)


def append_only_with_retention(table: str) -> migrations.RunSQL:
    """Like ``append_only``, but a transaction that sets ``pm.retention`` may delete what has grown old."""
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_but_retention()
        """,
        f"DROP TRIGGER {table}_append_only ON {table}",
    )


AUDITED_FUNCTIONS = migrations.RunSQL(
    """
    CREATE FUNCTION remember_for_audit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        -- Lots of at most ten thousand, so that a bulk load is sealed piece by piece.
        INSERT INTO common_auditpending (source, row_ids)
            SELECT TG_TABLE_NAME, array_agg(id ORDER BY id) FROM added GROUP BY id / 10000;
        RETURN NULL;
    END $$;
    CREATE FUNCTION remember_all_for_audit(source name) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE format('INSERT INTO common_auditpending (source, row_ids) '
            'SELECT %L, array_agg(id ORDER BY id) FROM %I GROUP BY id / 10000', source, source);
    END $$
    """,
    "DROP FUNCTION remember_all_for_audit(name); DROP FUNCTION remember_for_audit()",
)


def audited(table: str) -> migrations.RunSQL:
    """Have every row of an append-only ``table``, those that it has included, sealed into the audit chain."""
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {table}_audited AFTER INSERT ON {table} REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION remember_for_audit();
        SELECT remember_all_for_audit('{table}')
        """,
        f"DROP TRIGGER {table}_audited ON {table}",
    )
