from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("margin", "0002_settlement")]

    operations = [
        migrations.AddField(
            model_name="marginrun",
            name="reviewed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="marginrun",
            index=models.Index(
                condition=models.Q(("reviewed_at__isnull", True), ("state", "completed")),
                fields=["id"],
                name="run_unreviewed",
            ),
        ),
    ]
