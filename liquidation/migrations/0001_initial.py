import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import pmplatform.common.fields
from pmplatform.common.triggers import append_only

# What is planned may be planned anew; what is done is history.
_STEPS_FROZEN = migrations.RunSQL(
    """
    CREATE FUNCTION refuse_change_of_done_step() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.state = 'done' THEN
            RAISE EXCEPTION 'a step that is done never changes' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER liquidation_liquidationstep_frozen BEFORE UPDATE ON liquidation_liquidationstep
        FOR EACH ROW EXECUTE FUNCTION refuse_change_of_done_step();
    CREATE TRIGGER liquidation_liquidationstep_append_only
        BEFORE DELETE OR TRUNCATE ON liquidation_liquidationstep
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    DROP TRIGGER liquidation_liquidationstep_append_only ON liquidation_liquidationstep;
    DROP TRIGGER liquidation_liquidationstep_frozen ON liquidation_liquidationstep;
    DROP FUNCTION refuse_change_of_done_step()
    """,
)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0004_webhooks"),
        ("margin", "0008_risk_states"),
    ]

    operations = [
        migrations.CreateModel(
            name="FundBalance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", models.CharField(max_length=16, unique=True)),
                ("amount", pmplatform.common.fields.AmountField()),
            ],
            options={
                "verbose_name": "fund balance",
                "ordering": ("currency",),
            },
        ),
        migrations.CreateModel(
            name="MarginWatch",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="margin_watch",
                        serialize=False,
                        to="accounts.account",
                    ),
                ),
                ("count", models.PositiveSmallIntegerField(default=0)),
                ("snapshot", models.BigIntegerField()),
                ("warned_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "margin watch",
                "verbose_name_plural": "margin watches",
                "ordering": ("-warned_at", "account"),
            },
        ),
        migrations.CreateModel(
            name="RunReview",
            fields=[
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="liquidation_review",
                        serialize=False,
                        to="margin.marginrun",
                    ),
                ),
                ("snapshot", models.BigIntegerField()),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "verbose_name": "run review",
            },
        ),
        migrations.CreateModel(
            name="LiquidationCase",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "trigger",
                    models.CharField(
                        choices=[("liquidation", "Liquidation"), ("repay", "Repay")], max_length=16
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("working", "Working"),
                            ("awaiting_approval", "awaiting approval"),
                            ("paused", "Paused"),
                            ("adl_required", "ADL required"),
                            ("quarantined", "Quarantined"),
                            ("closed", "Closed"),
                        ],
                        default="working",
                        max_length=20,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("safe", "Safe"),
                            ("takeover", "Takeover"),
                            ("nothing_to_do", "nothing to do"),
                        ],
                        max_length=16,
                        null=True,
                    ),
                ),
                ("deficit_usd", models.FloatField()),
                ("evidence", models.JSONField()),
                ("opened_at_position", models.BigIntegerField()),
                ("steps_done", models.PositiveIntegerField(default=0)),
                ("refusals", models.PositiveIntegerField(default=0)),
                ("approved_step", models.PositiveIntegerField(default=0)),
                ("proposal", models.JSONField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("fence", models.PositiveIntegerField(default=0)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("blocked", models.TextField(blank=True)),
                ("failure", models.TextField(blank=True)),
                ("takeover", models.JSONField(blank=True, null=True)),
                ("residuals", models.JSONField(blank=True, null=True)),
                ("opened_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="liquidation_cases",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "liquidation case",
                "ordering": ("-id",),
                "permissions": (
                    ("operate_liquidation", "May approve, pause and resume cases, and use the controls"),
                ),
            },
        ),
        migrations.CreateModel(
            name="FundEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("deposit", "Deposit"),
                            ("withdrawal", "Withdrawal"),
                            ("takeover", "Takeover"),
                            ("refund", "Refund"),
                            ("settlement", "Settlement"),
                        ],
                        max_length=12,
                    ),
                ),
                ("subject", models.CharField(max_length=96)),
                ("amount", pmplatform.common.fields.AmountField()),
                ("price", pmplatform.common.fields.AmountField(null=True)),
                ("by", models.CharField(max_length=150)),
                ("reason", models.TextField(blank=True)),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "case",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fund_entries",
                        to="liquidation.liquidationcase",
                    ),
                ),
            ],
            options={
                "verbose_name": "fund entry",
                "verbose_name_plural": "fund entries",
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="LiquidationControls",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kill_switch", models.BooleanField(default=False)),
                ("approve_mode", models.BooleanField(default=False)),
                ("reason", models.TextField(blank=True)),
                ("changed_by", models.CharField(max_length=150)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name": "liquidation controls",
                "verbose_name_plural": "liquidation controls",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="liquidation_controls_one_row")
                ],
            },
        ),
        migrations.CreateModel(
            name="LiquidationOrder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("leg", models.PositiveSmallIntegerField()),
                ("refusals", models.PositiveIntegerField()),
                ("key", models.CharField(max_length=64)),
                ("side", models.CharField(choices=[("buy", "Buy"), ("sell", "Sell")], max_length=8)),
                ("quantity", pmplatform.common.fields.AmountField()),
                ("mark", pmplatform.common.fields.AmountField()),
                ("limit_price", pmplatform.common.fields.AmountField()),
                ("expected_fee", pmplatform.common.fields.AmountField()),
                ("fee_currency", models.CharField(max_length=16)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("sent", "Sent"),
                            ("filled", "Filled"),
                            ("cancelled", "Cancelled"),
                            ("rejected", "Rejected"),
                        ],
                        default="new",
                        max_length=12,
                    ),
                ),
                ("failure", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "instrument",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.instrument",
                    ),
                ),
            ],
            options={
                "verbose_name": "liquidation order",
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="LiquidationFill",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("venue_id", models.CharField(max_length=128)),
                (
                    "fill",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="liquidation",
                        to="accounts.fill",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fills",
                        to="liquidation.liquidationorder",
                    ),
                ),
            ],
            options={
                "verbose_name": "liquidation fill",
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="LiquidationStep",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("planned", "Planned"), ("done", "Done")], default="planned", max_length=8
                    ),
                ),
                ("kind", models.CharField(max_length=16)),
                ("unit", models.CharField(blank=True, max_length=32, null=True)),
                ("component", models.CharField(blank=True, max_length=32, null=True)),
                ("reason", models.TextField()),
                ("cost_usd", models.FloatField()),
                ("trades", models.JSONField()),
                ("conversions", models.JSONField()),
                ("cancelled", models.PositiveIntegerField()),
                ("before", models.JSONField()),
                ("after", models.JSONField()),
                ("reached", models.JSONField(blank=True, null=True)),
                ("effects", models.JSONField(default=dict)),
                (
                    "underlyings",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16), size=None
                    ),
                ),
                ("parameters", models.CharField(max_length=64)),
                ("parameters_sha256", models.CharField(max_length=64)),
                ("engine", models.CharField(max_length=32)),
                ("input_sha256", models.CharField(max_length=64)),
                ("fence", models.PositiveIntegerField()),
                ("max_age", models.FloatField()),
                ("at", models.DateTimeField()),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="liquidation.liquidationcase",
                    ),
                ),
                (
                    "snapshot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="margin.marketsnapshot",
                    ),
                ),
            ],
            options={
                "verbose_name": "liquidation step",
                "ordering": ("case", "number"),
            },
        ),
        migrations.AddField(
            model_name="liquidationorder",
            name="step",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="orders",
                to="liquidation.liquidationstep",
            ),
        ),
        migrations.CreateModel(
            name="FundPosition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("quantity", pmplatform.common.fields.AmountField()),
                ("entry_price", pmplatform.common.fields.AmountField()),
                (
                    "instrument",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.instrument",
                    ),
                ),
            ],
            options={
                "verbose_name": "fund position",
                "ordering": ("instrument__code",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("quantity", 0), _negated=True), name="fund_position_not_flat"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("entry_price__gte", 0)), name="fund_position_price_not_negative"
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="liquidationcase",
            index=models.Index(
                condition=models.Q(("state", "working")),
                fields=["-deficit_usd", "id"],
                name="liquidation_case_queue",
            ),
        ),
        migrations.AddConstraint(
            model_name="liquidationcase",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "closed"), _negated=True),
                fields=("account",),
                name="liquidation_case_one_live",
            ),
        ),
        migrations.AddConstraint(
            model_name="liquidationcase",
            constraint=models.CheckConstraint(
                condition=models.Q(("trigger__in", ["liquidation", "repay"])),
                name="liquidation_case_trigger_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="liquidationcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        ["working", "awaiting_approval", "paused", "adl_required", "quarantined", "closed"],
                    )
                ),
                name="liquidation_case_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="liquidationcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("outcome__isnull", True),
                    ("outcome__in", ["safe", "takeover", "nothing_to_do"]),
                    _connector="OR",
                ),
                name="liquidation_case_outcome_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="liquidationcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("closed_at__isnull", False),
                        ("lease_until__isnull", True),
                        ("outcome__isnull", False),
                        ("state", "closed"),
                    ),
                    models.Q(
                        models.Q(("state", "closed"), _negated=True),
                        ("closed_at__isnull", True),
                        ("outcome__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="liquidation_case_closed_has_outcome",
            ),
        ),
        migrations.AddConstraint(
            model_name="fundentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["deposit", "withdrawal", "takeover", "refund", "settlement"])
                ),
                name="fund_entry_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="fundentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount", 0), _negated=True), name="fund_entry_moves_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="liquidationfill",
            constraint=models.UniqueConstraint(fields=("order", "venue_id"), name="liquidation_fill_once"),
        ),
        migrations.AddConstraint(
            model_name="liquidationstep",
            constraint=models.UniqueConstraint(fields=("case", "number"), name="liquidation_step_once"),
        ),
        migrations.AddConstraint(
            model_name="liquidationstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["planned", "done"])), name="liquidation_step_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="liquidationstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gte", 1)), name="liquidation_step_numbered_from_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="liquidationstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("done_at__isnull", False), ("reached__isnull", False), ("state", "done")),
                    models.Q(("done_at__isnull", True), ("state", "planned")),
                    _connector="OR",
                ),
                name="liquidation_step_done_has_figures",
            ),
        ),
        migrations.AddConstraint(
            model_name="liquidationorder",
            constraint=models.UniqueConstraint(fields=("key",), name="liquidation_order_key_once"),
        ),
        migrations.AddConstraint(
            model_name="liquidationorder",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["new", "sent", "filled", "cancelled", "rejected"])),
                name="liquidation_order_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="liquidationorder",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gt", 0)), name="liquidation_order_quantity_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="liquidationorder",
            constraint=models.CheckConstraint(
                condition=models.Q(("limit_price__gte", 0)), name="liquidation_order_limit_not_negative"
            ),
        ),
        append_only("liquidation_fundentry"),
        append_only("liquidation_liquidationfill"),
        _STEPS_FROZEN,
    ]
