from django.db import migrations

from pmplatform.common.triggers import audited


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_webhooks"), ("common", "0003_audit_chain")]

    operations = [
        audited("accounts_ledgerentry"),
        audited("accounts_declarationacceptance"),
        audited("accounts_eligibilitytransition"),
    ]
