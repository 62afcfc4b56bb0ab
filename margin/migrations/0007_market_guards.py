import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from pmplatform.common.triggers import append_only

# Snapshots are immutable, but for this once: nothing is known of how long their content had been the same.
_SINCE = """
ALTER TABLE margin_marketsnapshot DISABLE TRIGGER margin_marketsnapshot_append_only;
UPDATE margin_marketsnapshot SET unchanged_since = as_of;
ALTER TABLE margin_marketsnapshot ENABLE TRIGGER margin_marketsnapshot_append_only;
"""


class Migration(migrations.Migration):
    dependencies = [("margin", "0006_newest_result")]

    operations = [
        migrations.AddField(
            model_name="marketsnapshot",
            name="carried",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="marketsnapshot",
            name="held",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="marketsnapshot",
            name="unchanged_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunSQL(_SINCE, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="marketsnapshot",
            name="unchanged_since",
            field=models.DateTimeField(),
        ),
        migrations.CreateModel(
            name="MarketGuardEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("refused", "Refused"),
                            ("held", "Held"),
                            ("released", "Released"),
                            ("stuck", "Stuck"),
                            ("moving", "Moving"),
                        ],
                        max_length=16,
                    ),
                ),
                ("source", models.CharField(max_length=64)),
                ("as_of", models.DateTimeField(null=True)),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), default=list, size=None
                    ),
                ),
                (
                    "snapshot",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="guard_events",
                        to="margin.marketsnapshot",
                    ),
                ),
            ],
            options={
                "verbose_name": "market guard event",
                "ordering": ("-id",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["refused", "held", "released", "stuck", "moving"])),
                        name="guard_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "refused"), ("snapshot__isnull", True)),
                            models.Q(
                                models.Q(("kind", "refused"), _negated=True),
                                ("as_of__isnull", False),
                                ("snapshot__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="guard_event_has_snapshot_unless_refused",
                    ),
                ],
            },
        ),
        append_only("margin_marketguardevent"),
    ]
