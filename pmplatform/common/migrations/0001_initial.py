import django.utils.timezone
from django.db import migrations, models

from pmplatform.common.triggers import APPEND_ONLY_FUNCTION, append_only, notify_on_insert


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AuditRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("actor", models.CharField(max_length=150)),
                ("action", models.CharField(max_length=64)),
                ("object_type", models.CharField(max_length=64)),
                ("object_id", models.CharField(max_length=64)),
                ("tenant", models.BigIntegerField(null=True)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                ("reason", models.TextField(blank=True)),
                ("request_id", models.CharField(max_length=64)),
            ],
            options={
                "verbose_name": "audit row",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["object_type", "object_id", "id"], name="audit_by_object"),
                    models.Index(fields=["tenant", "id"], name="audit_by_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("principal", models.CharField(max_length=160)),
                ("key", models.CharField(max_length=128)),
                ("request_sha256", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("response", models.BinaryField(default=b"")),
                (
                    "created_at",
                    models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False),
                ),
            ],
            options={
                "verbose_name": "idempotency record",
                "constraints": [
                    models.UniqueConstraint(fields=("principal", "key"), name="idempotency_key_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="OutboxRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("topic", models.CharField(max_length=64)),
                ("payload", models.JSONField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("published", "Published"),
                            ("dead", "dead-lettered"),
                        ],
                        default="pending",
                        max_length=16,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("last_error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("available_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("published_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "outbox row",
                "ordering": ("id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "pending")),
                        fields=["available_at", "id"],
                        name="outbox_pending",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["pending", "published", "dead"])),
                        name="outbox_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("published_at__isnull", False), ("state", "published")),
                            models.Q(
                                models.Q(("state", "published"), _negated=True),
                                ("published_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="outbox_published_has_time",
                    ),
                ],
            },
        ),
        APPEND_ONLY_FUNCTION,
        append_only("common_auditrow"),
        notify_on_insert("common_outboxrow", "outbox"),
    ]
