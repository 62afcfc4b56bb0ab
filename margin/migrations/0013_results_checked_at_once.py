from django.db import migrations, models

_OF = {
    "marginresult": ("results", "margin_results"),
    "unitresult": ("unit_results", "unit_results"),
    "marginreport": ("+", "+"),
}
#: The planner knows how many rows were added, and looks for few by index, for many by a hash.
_FUNCTION = """
    CREATE FUNCTION refuse_results_of_nobody() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM added WHERE NOT EXISTS (SELECT FROM accounts_account WHERE id = added.account_id)
        ) OR EXISTS (
            SELECT FROM (SELECT DISTINCT run_id FROM added) AS runs
            WHERE NOT EXISTS (SELECT FROM margin_marginrun WHERE id = runs.run_id)
        ) THEN
            RAISE EXCEPTION 'a row of % names no account or no run', TG_TABLE_NAME
                USING ERRCODE = 'foreign_key_violation';
        END IF;
        RETURN NULL;
    END $$
"""


def _of(to: str, related_name: str) -> models.ForeignKey:  # type: ignore[type-arg]  # generic in the stubs only
    return models.ForeignKey(
        to=to,
        on_delete=models.deletion.PROTECT,
        related_name=related_name,
        db_index=False,
        db_constraint=False,
    )


def _checked(table: str) -> migrations.RunSQL:
    """Have all rows that a statement adds looked for at once."""
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {table}_of_somebody AFTER INSERT ON {table} REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_results_of_nobody()
        """,
        f"DROP TRIGGER {table}_of_somebody ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_parameter_events"), ("margin", "0012_results_in_columns")]

    operations = [
        migrations.RunSQL(_FUNCTION, "DROP FUNCTION refuse_results_of_nobody()"),
        *(
            operation
            for name, (of_run, of_account) in _OF.items()
            for operation in (
                migrations.AlterField(name, "run", _of("margin.marginrun", of_run)),
                migrations.AlterField(name, "account", _of("accounts.account", of_account)),
                _checked(f"margin_{name}"),
            )
        ),
    ]
