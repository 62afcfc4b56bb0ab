import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import pmplatform.common.fields
from pmplatform.common.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_eligibility"),
    ]

    operations = [
        migrations.CreateModel(
            name="Fill",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("client_id", models.CharField(blank=True, max_length=64)),
                ("side", models.CharField(choices=[("buy", "Buy"), ("sell", "Sell")], max_length=8)),
                ("quantity", pmplatform.common.fields.AmountField()),
                ("price", pmplatform.common.fields.AmountField()),
                ("fee", pmplatform.common.fields.AmountField()),
                ("fee_currency", models.CharField(max_length=16)),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fills",
                        to="accounts.account",
                    ),
                ),
                (
                    "instrument",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fills",
                        to="accounts.instrument",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fills",
                        to="accounts.order",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
                "indexes": [models.Index(fields=["account", "id"], name="fill_by_account")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("client_id", ""), _negated=True),
                        fields=("account", "client_id"),
                        name="fill_client_id_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("side__in", ["buy", "sell"])), name="fill_side_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gt", 0)), name="fill_quantity_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("price__gte", 0)), name="fill_price_not_negative"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Settlement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("quantity", pmplatform.common.fields.AmountField()),
                ("price", pmplatform.common.fields.AmountField()),
                ("cash", pmplatform.common.fields.AmountField()),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlements",
                        to="accounts.account",
                    ),
                ),
                (
                    "instrument",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlements",
                        to="accounts.instrument",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(fields=("account", "instrument"), name="settlement_once"),
                    models.CheckConstraint(
                        condition=models.Q(("price__gt", 0)), name="settlement_price_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity", 0), _negated=True), name="settlement_of_a_position"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Transfer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("client_id", models.CharField(blank=True, max_length=64)),
                ("currency", models.CharField(max_length=16)),
                ("amount", pmplatform.common.fields.AmountField()),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
                "indexes": [models.Index(fields=["account", "id"], name="transfer_by_account")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("client_id", ""), _negated=True),
                        fields=("account", "client_id"),
                        name="transfer_client_id_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount", 0), _negated=True), name="transfer_moves_something"
                    ),
                ],
            },
        ),
        append_only("accounts_fill"),
        append_only("accounts_transfer"),
        append_only("accounts_settlement"),
    ]
