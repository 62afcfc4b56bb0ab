import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_audited"),
    ]

    operations = [
        migrations.AddField(
            model_name="webhook",
            name="owed_until",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="webhook",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="webhooks",
                to="accounts.tenant",
            ),
        ),
    ]
