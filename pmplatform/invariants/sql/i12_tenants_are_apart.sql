-- Whoever belongs to a tenant has written in that tenant only, and what happened in it is told to it only.
WITH principals AS (
    SELECT 'token:' || public_id AS name, tenant_id FROM accounts_apitoken WHERE tenant_id IS NOT NULL
    UNION ALL
    SELECT 'user:' || username, tenant_id FROM accounts_user WHERE tenant_id IS NOT NULL
)
SELECT format('ledger entry %s', l.id) AS subject, format('by %s in tenant %s', l.by, a.tenant_id) AS detail
FROM accounts_ledgerentry l
JOIN accounts_account a ON a.id = l.account_id
JOIN principals p ON p.name = l.by
WHERE p.tenant_id <> a.tenant_id
UNION ALL
SELECT format('audit row %s', r.id), format('by %s in tenant %s', r.actor, coalesce(r.tenant::text, 'none'))
FROM common_auditrow r JOIN principals p ON p.name = r.actor
WHERE r.tenant IS DISTINCT FROM p.tenant_id
UNION ALL
SELECT format('event %s', e.id), format('of account %s, told to tenant %s', a.id, e.tenant)
FROM common_event e JOIN accounts_account a ON a.id::text = e.data ->> 'account'
WHERE e.tenant <> a.tenant_id
UNION ALL
SELECT format('delivery %s', d.id), format('of tenant %s, sent to tenant %s', e.tenant, w.tenant_id)
FROM accounts_webhookdelivery d
JOIN accounts_webhook w ON w.id = d.webhook_id
JOIN common_event e ON e.id = d.event_id
WHERE e.tenant IS DISTINCT FROM w.tenant_id AND e.kind <> 'parameters'
