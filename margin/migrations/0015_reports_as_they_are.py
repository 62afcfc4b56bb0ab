from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("margin", "0014_part_holders")]

    operations = [
        # Compressed by a third, reports took the server four times as long to store.
        migrations.RunSQL(
            "ALTER TABLE margin_marginreport ALTER COLUMN content SET STORAGE EXTERNAL",
            "ALTER TABLE margin_marginreport ALTER COLUMN content SET STORAGE EXTENDED",
        ),
    ]
