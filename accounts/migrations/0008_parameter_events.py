import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_transitions_audited")]

    operations = [
        migrations.RemoveConstraint(model_name="webhook", name="webhook_events_known"),
        migrations.AlterField(
            model_name="webhook",
            name="events",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("margin", "Margin"),
                        ("warning", "Warning"),
                        ("run", "Run"),
                        ("liquidation", "Liquidation"),
                        ("parameters", "Parameters"),
                    ],
                    max_length=16,
                ),
                size=None,
            ),
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("events__len__gt", 0),
                    ("events__contained_by", ["margin", "warning", "run", "liquidation", "parameters"]),
                ),
                name="webhook_events_known",
            ),
        ),
    ]
