import msgspec
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from pmplatform.common.triggers import append_only_with_retention

_RESULTS_OPEN = "ALTER TABLE margin_marginresult DISABLE TRIGGER margin_marginresult_append_only"
_RESULTS_CLOSE = "ALTER TABLE margin_marginresult ENABLE TRIGGER margin_marginresult_append_only"
_MOVE_REPORTS = """
    INSERT INTO margin_marginreport (run_id, account_id, content)
    SELECT run_id, account_id, report FROM margin_marginresult
"""
_RATES = """
    UPDATE margin_marginresult
    SET imr_rate = (convert_from(report, 'UTF8')::jsonb #>> '{account,imr_rate}')::float8
"""


def name_parts(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Tell every result the part that holds its account."""
    results, blobs = apps.get_model("margin", "MarginResult"), apps.get_model("margin", "Blob")
    for part in apps.get_model("margin", "MarginRunPart").objects.filter(kind="margin").order_by("id"):
        blob = blobs.objects.get(pk=part.input_key)
        ids = [int(account) for account in msgspec.msgpack.decode(bytes(blob.content))["header"]["ids"]]
        results.objects.filter(run=part.run_id, account__in=ids).update(part=part)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_webhook_cursor"), ("margin", "0011_one_snapshot_run")]

    operations = [
        migrations.AddField("marginrunpart", "result_sha256", models.CharField(blank=True, max_length=64)),
        migrations.AddField("marginresult", "imr_rate", models.FloatField(null=True)),
        migrations.AddField(
            "marginresult",
            "part",
            models.ForeignKey(
                null=True,
                db_constraint=False,
                db_index=False,
                on_delete=models.deletion.PROTECT,
                related_name="+",
                to="margin.marginrunpart",
            ),
        ),
        migrations.CreateModel(
            name="MarginReport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("content", models.BinaryField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=models.deletion.PROTECT, related_name="+", to="accounts.account"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.deletion.PROTECT,
                        related_name="+",
                        to="margin.marginrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "margin report",
                "constraints": [
                    models.UniqueConstraint(fields=("run", "account"), name="margin_report_once_in_run")
                ],
            },
        ),
        migrations.RunSQL([_RESULTS_OPEN, _MOVE_REPORTS, _RATES], migrations.RunSQL.noop),
        migrations.RunPython(name_parts, migrations.RunPython.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AlterField(
            "marginresult",
            "part",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=models.deletion.PROTECT,
                related_name="+",
                to="margin.marginrunpart",
            ),
        ),
        migrations.RemoveField("marginresult", "report"),
        migrations.RunSQL(_RESULTS_CLOSE, _RESULTS_OPEN),
        migrations.RemoveField("unitresult", "components"),
        migrations.RemoveField("unitresult", "price_moves"),
        migrations.RemoveField("unitresult", "pnl"),
        append_only_with_retention("margin_marginreport"),
        # Columns of numbers do not shrink, and to try costs more than to write them.
        migrations.RunSQL(
            "ALTER TABLE margin_blob ALTER COLUMN content SET STORAGE EXTERNAL",
            "ALTER TABLE margin_blob ALTER COLUMN content SET STORAGE EXTENDED",
        ),
    ]
