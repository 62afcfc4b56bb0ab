import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import pmplatform.common.fields
from pmplatform.common.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_activity"),
        ("margin", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="marketsnapshot",
            name="settlement",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.CreateModel(
            name="SettlementPrice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(choices=[("venue", "Venue"), ("index", "Index")], max_length=16)),
                ("price", pmplatform.common.fields.AmountField()),
                ("fixed_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "instrument",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlement_price",
                        to="accounts.instrument",
                    ),
                ),
                (
                    "snapshot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlement_prices",
                        to="margin.marketsnapshot",
                    ),
                ),
            ],
            options={
                "verbose_name": "settlement price",
                "ordering": ("-id",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("price__gt", 0)), name="settlement_price_is_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source__in", ["venue", "index"])),
                        name="settlement_price_source_known",
                    ),
                ],
            },
        ),
        append_only("margin_settlementprice"),
    ]
