from django.db import migrations

from pmplatform.common.triggers import audited


class Migration(migrations.Migration):
    dependencies = [("liquidation", "0001_initial"), ("common", "0003_audit_chain")]

    operations = [audited("liquidation_fundentry")]
