-- Portfolio margin rests on an activation of that account, made on equity and a declaration; who has none
-- is margined by `standard`, apart from a period of grace.
SELECT format('account %s', a.id) AS subject, format('%s without an activation of its own', a.eligibility_state) AS detail
FROM accounts_account a LEFT JOIN accounts_eligibilitytransition t ON t.id = a.activation_id
WHERE a.eligibility_state IN ('active', 'suspended') AND t.account_id IS DISTINCT FROM a.id
UNION ALL
SELECT format('account %s', a.id), format('%s at equity %s of %s', t.kind, t.net_equity, t.min_net_equity)
FROM accounts_account a JOIN accounts_eligibilitytransition t ON t.id = a.activation_id
WHERE a.eligibility_state IN ('active', 'suspended') AND t.kind IN ('enrolled', 'restored')
    AND (t.net_equity IS NULL OR t.net_equity < t.min_net_equity)
UNION ALL
SELECT format('account %s', a.id), 'enrolled without a declaration'
FROM accounts_account a JOIN accounts_eligibilitytransition t ON t.id = a.activation_id
WHERE a.eligibility_state IN ('active', 'suspended') AND t.kind = 'enrolled' AND t.acceptance_id IS NULL
UNION ALL
SELECT format('account %s', a.id), format('%s, and margined by %s', a.eligibility_state, a.margin_methodology)
FROM accounts_account a LEFT JOIN accounts_eligibilitywatch w ON w.account_id = a.id
WHERE a.margin_methodology <> 'standard' AND a.eligibility_state <> 'active' AND w.margin_due_at IS NULL
