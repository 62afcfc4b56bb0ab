from typing import Any

import django.utils.timezone
from django.db import migrations, models
from django.db.models import Q


def write_global(apps: Any, schema_editor: Any) -> None:
    apps.get_model("margin", "RiskState").objects.get_or_create(
        underlying="", defaults={"changed_by": "migration"}
    )


class Migration(migrations.Migration):
    dependencies = [("margin", "0007_market_guards")]

    operations = [
        migrations.CreateModel(
            name="RiskState",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("underlying", models.CharField(blank=True, max_length=16, unique=True)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("enabled", "Enabled"),
                            ("hold", "Hold"),
                            ("reduce_only", "Reduce Only"),
                            ("halt", "Halt"),
                        ],
                        default="enabled",
                        max_length=16,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("changed_by", models.CharField(max_length=150)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name": "risk state",
                "ordering": ("underlying",),
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(("mode__in", ["enabled", "hold", "reduce_only", "halt"])),
                        name="risk_mode_known",
                    ),
                    models.CheckConstraint(
                        condition=Q(("mode", "enabled"), Q(("reason", ""), _negated=True), _connector="OR"),
                        name="risk_mode_has_reason",
                    ),
                ],
            },
        ),
        migrations.RunPython(write_global, migrations.RunPython.noop),
    ]
