import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import pmplatform.common.fields
from pmplatform.common.triggers import append_only

# Accounts that were active before activations were kept were all loaded so, vouched for by their loader.
# The deferred foreign keys are checked at once, since a table with pending checks takes no constraint.
BACKFILL = migrations.RunSQL(
    """
    INSERT INTO accounts_eligibilitytransition
        (account_id, kind, from_state, to_state, methodology, from_margin, to_margin, reasons, evidence,
         by, request_id, at)
    SELECT id, 'loaded', 'standard', eligibility_state, methodology, 'standard', margin_methodology,
           '["the loader vouches for the account"]', '{}', 'migration', 'accounts.0002', now()
    FROM accounts_account WHERE eligibility_state <> 'standard';
    UPDATE accounts_account SET activation_id = transition.id
    FROM accounts_eligibilitytransition AS transition WHERE transition.account_id = accounts_account.id;
    SET CONSTRAINTS ALL IMMEDIATE;
    SET CONSTRAINTS ALL DEFERRED;
    """,
    migrations.RunSQL.noop,
)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="EligibilityWatch",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="watch",
                        serialize=False,
                        to="accounts.account",
                    ),
                ),
                ("count", models.PositiveSmallIntegerField()),
                ("snapshot", models.BigIntegerField()),
                ("margin_due_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "eligibility watch",
                "verbose_name_plural": "eligibility watches",
            },
        ),
        migrations.CreateModel(
            name="Declaration",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.CharField(max_length=32, unique=True)),
                ("text", models.TextField()),
                ("published_by", models.CharField(max_length=150)),
                ("published_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "ordering": ("-id",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("version", ""), _negated=True),
                        name="declaration_version_not_empty",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True), name="declaration_text_not_empty"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeclarationAcceptance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("by", models.CharField(max_length=150)),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("address", models.GenericIPAddressField(blank=True, null=True)),
                ("request_id", models.CharField(max_length=64)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="acceptances",
                        to="accounts.account",
                    ),
                ),
                (
                    "declaration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="acceptances",
                        to="accounts.declaration",
                    ),
                ),
            ],
            options={
                "verbose_name": "declaration acceptance",
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="EligibilityTransition",
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
                            ("loaded", "Loaded"),
                            ("enrolled", "Enrolled"),
                            ("left", "Left"),
                            ("changed", "Changed"),
                            ("suspended", "Suspended"),
                            ("reverted", "Reverted"),
                            ("restored", "Restored"),
                            ("grace_ended", "Grace Ended"),
                            ("retired", "Retired"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "from_state",
                    models.CharField(
                        choices=[("standard", "Standard"), ("active", "Active"), ("suspended", "Suspended")],
                        max_length=16,
                    ),
                ),
                (
                    "to_state",
                    models.CharField(
                        choices=[("standard", "Standard"), ("active", "Active"), ("suspended", "Suspended")],
                        max_length=16,
                    ),
                ),
                (
                    "methodology",
                    models.CharField(
                        choices=[
                            ("okx-2025", "OKX 2025"),
                            ("okx-classic", "OKX classic"),
                            ("bybit-uta", "Bybit UTA"),
                            ("standard", "Standard"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "from_margin",
                    models.CharField(
                        choices=[
                            ("okx-2025", "OKX 2025"),
                            ("okx-classic", "OKX classic"),
                            ("bybit-uta", "Bybit UTA"),
                            ("standard", "Standard"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "to_margin",
                    models.CharField(
                        choices=[
                            ("okx-2025", "OKX 2025"),
                            ("okx-classic", "OKX classic"),
                            ("bybit-uta", "Bybit UTA"),
                            ("standard", "Standard"),
                        ],
                        max_length=16,
                    ),
                ),
                ("reasons", models.JSONField(blank=True, default=list)),
                ("snapshot", models.BigIntegerField(blank=True, null=True)),
                ("net_equity", pmplatform.common.fields.AmountField(blank=True, null=True)),
                ("min_net_equity", pmplatform.common.fields.AmountField(blank=True, null=True)),
                ("evidence", models.JSONField(blank=True, default=dict)),
                ("by", models.CharField(max_length=150)),
                ("request_id", models.CharField(max_length=64)),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "acceptance",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.declarationacceptance",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transitions",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "eligibility transition",
                "ordering": ("id",),
            },
        ),
        migrations.AddField(
            model_name="account",
            name="activation",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.eligibilitytransition",
            ),
        ),
        BACKFILL,
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("eligibility_state__in", ["active", "suspended"]), _negated=True),
                    ("activation__isnull", False),
                    _connector="OR",
                ),
                name="account_active_has_activation",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("methodology", "standard"), _negated=True),
                    ("eligibility_state", "standard"),
                    _connector="OR",
                ),
                name="account_standard_is_not_enrolled",
            ),
        ),
        migrations.AddConstraint(
            model_name="eligibilitywatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("count__gt", 0), ("margin_due_at__isnull", False), _connector="OR"),
                name="watch_has_something_pending",
            ),
        ),
        migrations.AddConstraint(
            model_name="declarationacceptance",
            constraint=models.UniqueConstraint(
                fields=("account", "declaration"), name="declaration_accepted_once"
            ),
        ),
        migrations.AddIndex(
            model_name="eligibilitytransition",
            index=models.Index(fields=["account", "-id"], name="transition_by_account"),
        ),
        migrations.AddConstraint(
            model_name="eligibilitytransition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "loaded",
                            "enrolled",
                            "left",
                            "changed",
                            "suspended",
                            "reverted",
                            "restored",
                            "grace_ended",
                            "retired",
                        ],
                    )
                ),
                name="transition_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="eligibilitytransition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("to_state", "active"), _negated=True),
                    ("from_state", "active"),
                    ("kind", "loaded"),
                    models.Q(
                        ("kind", "restored"),
                        ("min_net_equity__isnull", False),
                        ("net_equity__isnull", False),
                        ("snapshot__isnull", False),
                        ("net_equity__gte", models.F("min_net_equity")),
                    ),
                    models.Q(
                        ("acceptance__isnull", False),
                        ("kind", "enrolled"),
                        ("min_net_equity__isnull", False),
                        ("net_equity__isnull", False),
                        ("snapshot__isnull", False),
                        ("net_equity__gte", models.F("min_net_equity")),
                    ),
                    _connector="OR",
                ),
                name="transition_activates_on_equity_and_declaration",
            ),
        ),
        append_only("accounts_declaration"),
        append_only("accounts_declarationacceptance"),
        append_only("accounts_eligibilitytransition"),
    ]
