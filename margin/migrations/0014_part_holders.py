from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("margin", "0013_results_checked_at_once")]

    operations = [
        migrations.CreateModel(
            name="Session",
            fields=[
                ("pid", models.IntegerField(primary_key=True, serialize=False)),
                ("backend_start", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "pg_stat_activity",
                "managed": False,
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="marginrunpart",
            name="holder_pid",
            field=models.IntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="marginrunpart",
            name="holder_since",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
