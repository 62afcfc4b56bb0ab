import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("margin", "0003_run_review")]

    operations = [
        migrations.AddField(
            model_name="marginrun",
            name="standard_parameters",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="margin.parameterversion",
            ),
        ),
        migrations.AddField(
            model_name="marginresult",
            name="standard_mmr",
            field=models.DecimalField(decimal_places=8, max_digits=38, null=True),
        ),
        migrations.AddField(
            model_name="marginresult",
            name="standard_imr",
            field=models.DecimalField(decimal_places=8, max_digits=38, null=True),
        ),
        migrations.AddField(
            model_name="marginresult",
            name="standard_ratio",
            field=models.FloatField(null=True),
        ),
    ]
