from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("margin", "0015_reports_as_they_are")]

    operations = [
        migrations.AddIndex(
            "marginrun",
            models.Index(
                fields=["-snapshot", "-id"],
                condition=~models.Q(reason__in=["impact", "change"]),
                name="run_over_the_book",
            ),
        ),
    ]
