from django.db import migrations

# Transitions from before they had an audit row of their own get it now, as whoever made them would have had.
_AUDIT = """
INSERT INTO common_auditrow
    (at, actor, action, object_type, object_id, tenant, before, after, reason, request_id)
SELECT t.at, t.by, 'eligibility.' || t.kind, 'account', t.account_id, a.tenant_id,
    jsonb_build_object('eligibility_state', t.from_state, 'margin_methodology', t.from_margin),
    jsonb_build_object('eligibility_state', t.to_state, 'methodology', t.methodology,
        'margin_methodology', t.to_margin, 'transition', t.id),
    coalesce((SELECT string_agg(reason, '; ') FROM jsonb_array_elements_text(t.reasons) AS reason), ''),
    t.request_id
FROM accounts_eligibilitytransition t JOIN accounts_account a ON a.id = t.account_id
ORDER BY t.id
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_webhook_cursor"), ("common", "0003_audit_chain")]

    operations = [migrations.RunSQL(_AUDIT, migrations.RunSQL.noop)]
