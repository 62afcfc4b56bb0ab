from django.db import migrations

from pmplatform.common.triggers import audited


class Migration(migrations.Migration):
    dependencies = [("margin", "0008_risk_states"), ("common", "0003_audit_chain")]

    operations = [audited("margin_marketguardevent")]
