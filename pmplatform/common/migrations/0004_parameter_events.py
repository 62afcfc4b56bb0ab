from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("common", "0003_audit_chain")]

    operations = [
        migrations.RemoveConstraint(model_name="event", name="event_kind_known"),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("margin", "Margin"),
                    ("warning", "Warning"),
                    ("run", "Run"),
                    ("liquidation", "Liquidation"),
                    ("parameters", "Parameters"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["margin", "warning", "run", "liquidation", "parameters"])),
                name="event_kind_known",
            ),
        ),
    ]
