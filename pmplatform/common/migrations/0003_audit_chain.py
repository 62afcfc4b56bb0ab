import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.db import migrations, models

from pmplatform.common.triggers import AUDITED_FUNCTIONS, append_only, audited


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0002_events"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditPending",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=63)),
                (
                    "row_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
            ],
            options={
                "verbose_name": "pending audit rows",
                "verbose_name_plural": "pending audit rows",
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("sequence", models.BigIntegerField(primary_key=True, serialize=False)),
                ("source", models.CharField(max_length=63)),
                (
                    "row_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                ("rows_sha256", models.CharField(max_length=64)),
                ("previous_sha256", models.CharField(blank=True, max_length=64, unique=True)),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("sealed_at", models.DateTimeField(editable=False)),
            ],
            options={
                "verbose_name": "audit seal",
                "ordering": ("sequence",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sequence__gte", 1)), name="audit_seal_numbered_from_one"
                    )
                ],
            },
        ),
        append_only("common_auditseal"),
        AUDITED_FUNCTIONS,
        audited("common_auditrow"),
    ]
