-- Every change of state has its audit row, the rows are sealed, each seal follows the one before, and who
-- approves is not who proposed. (`verify_audit` hashes every row again.)
SELECT format('%s rows of %s', cardinality(row_ids), source) AS subject, format('unsealed since %s', created_at) AS detail
FROM common_auditpending WHERE created_at < now() - interval '60 seconds'
UNION ALL
SELECT format('seal %s', sequence), 'does not follow the one before'
FROM (
    SELECT sequence, previous_sha256, lag(sha256, 1, '') OVER (ORDER BY sequence) AS last,
        row_number() OVER (ORDER BY sequence) AS place
    FROM common_auditseal
) AS seals
WHERE previous_sha256 <> last OR sequence <> place
UNION ALL
SELECT format('version %s', id), format('proposed by %s, approved by %s and %s', proposer, approver, second_approver)
FROM margin_parameterversion
WHERE proposer = approver OR proposer = second_approver OR approver = second_approver
UNION ALL
SELECT format('version %s', p.id), format('%s without an audit row', p.state)
FROM margin_parameterversion p
WHERE p.origin <> 'initial' AND NOT EXISTS (
    SELECT FROM common_auditrow a
    WHERE a.object_type = 'parameter_version' AND a.object_id = p.id::text AND a.after ->> 'state' = p.state
)
UNION ALL
SELECT format('case %s', c.id), format('%s without an audit row', c.state)
FROM liquidation_liquidationcase c
WHERE NOT EXISTS (
    SELECT FROM common_auditrow a
    WHERE a.object_type = 'liquidation_case' AND a.object_id = c.id::text AND a.after ->> 'state' = c.state
)
UNION ALL
SELECT format('risk state of %s', coalesce(nullif(r.underlying, ''), 'the platform')), format('%s without an audit row', r.mode)
FROM margin_riskstate r
WHERE r.mode <> coalesce((
    SELECT a.after ->> 'mode' FROM common_auditrow a
    WHERE a.object_type = 'risk_state' AND a.object_id = coalesce(nullif(r.underlying, ''), '*')
    ORDER BY a.id DESC LIMIT 1
), 'enabled')
UNION ALL
SELECT 'kill switch', format('%s without an audit row', c.kill_switch)
FROM liquidation_liquidationcontrols c
WHERE c.kill_switch <> coalesce((
    SELECT (a.after ->> 'kill_switch')::boolean FROM common_auditrow a
    WHERE a.object_type = 'liquidation_controls' ORDER BY a.id DESC LIMIT 1
), false)
UNION ALL
SELECT format('account %s', t.account_id), format('%s without an audit row', t.kind)
FROM accounts_eligibilitytransition t
WHERE NOT EXISTS (
    SELECT FROM common_auditrow a
    WHERE a.object_type = 'account' AND a.object_id = t.account_id::text AND a.after ->> 'transition' = t.id::text
)
