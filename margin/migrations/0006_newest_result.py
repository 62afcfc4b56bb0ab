import django.db.models.deletion
from django.db import migrations, models

# Results are append-only, but for this once: they take over the snapshot of their run.
_TAKE_OVER = """
ALTER TABLE margin_marginresult DISABLE TRIGGER margin_marginresult_append_only;
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE margin_marginresult SET snapshot_id = run.snapshot_id
    FROM margin_marginrun run WHERE run.id = margin_marginresult.run_id;
ALTER TABLE margin_marginresult ENABLE TRIGGER margin_marginresult_append_only;
"""
# Shards are written in another form from here on, and a store is only a cache.
_FORGET_SHARDS = "DELETE FROM margin_blob"


def _snapshot(*, null: bool) -> models.ForeignKey:  # type: ignore[type-arg]  # generic in the stubs only
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        null=null,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="margin.marketsnapshot",
    )


class Migration(migrations.Migration):
    dependencies = [("margin", "0005_parameter_life")]

    operations = [
        migrations.AlterField(
            model_name="marginrun",
            name="reason",
            field=models.CharField(
                choices=[
                    ("manual", "Manual"),
                    ("snapshot", "Snapshot"),
                    ("hourly", "Hourly"),
                    ("change", "Change"),
                    ("impact", "Impact"),
                ],
                max_length=16,
            ),
        ),
        migrations.RemoveIndex(model_name="marginresult", name="margin_result_latest"),
        migrations.AddField(
            model_name="marginresult",
            name="ledger_position",
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(model_name="marginresult", name="snapshot", field=_snapshot(null=True)),
        migrations.RunSQL(_TAKE_OVER, migrations.RunSQL.noop),
        migrations.RunSQL(_FORGET_SHARDS, migrations.RunSQL.noop),
        migrations.AlterField(model_name="marginresult", name="snapshot", field=_snapshot(null=False)),
        migrations.AddIndex(
            model_name="marginresult",
            index=models.Index(
                fields=["account", "-ledger_position", "-snapshot", "-run"], name="margin_result_newest"
            ),
        ),
    ]
