-- No step is decided on a stale or held snapshot, while a switch or risk state forbids it, by an engine that
-- no run knows, or under parameters that were not in force. What a switch was at a step is the last change
-- audited before it: steps and changes take turns, so the ids of their rows tell their order.
SELECT format('case %s, step %s', s.case_id, s.number) AS subject,
    format('snapshot %s was %s s old', s.snapshot_id, extract(epoch FROM s.at - m.as_of)) AS detail
FROM liquidation_liquidationstep s JOIN margin_marketsnapshot m ON m.sequence = s.snapshot_id
WHERE extract(epoch FROM s.at - m.as_of) > s.max_age
UNION ALL
SELECT format('case %s, step %s', s.case_id, s.number), format('snapshot %s was in hold: %s', s.snapshot_id, m.held)
FROM liquidation_liquidationstep s JOIN margin_marketsnapshot m ON m.sequence = s.snapshot_id
WHERE m.held <> '{}'
UNION ALL
SELECT format('case %s, step %s', s.case_id, s.number), format('engine %s is unknown', s.engine)
FROM liquidation_liquidationstep s
WHERE NOT EXISTS (SELECT FROM margin_marginrun r WHERE r.engine = s.engine)
UNION ALL
SELECT format('case %s, step %s', s.case_id, s.number), format('parameters %s were not in force', s.parameters)
FROM liquidation_liquidationstep s JOIN margin_marketsnapshot m ON m.sequence = s.snapshot_id
WHERE NOT EXISTS (
    SELECT FROM margin_parameterversion p
    WHERE p.sha256 = s.parameters_sha256 AND p.version = s.parameters AND p.effective_from <= m.as_of
        AND p.state IN ('approved', 'scheduled', 'active', 'superseded')
)
UNION ALL
SELECT format('case %s, step %s', s.case_id, s.number), 'the kill switch was on'
FROM liquidation_liquidationstep s
JOIN common_auditrow a ON a.object_type = 'liquidation_case' AND a.object_id = s.case_id::text
    AND a.action = 'liquidation_case.step' AND (a.after ->> 'steps')::bigint = s.number
CROSS JOIN LATERAL (
    SELECT c.after FROM common_auditrow c
    WHERE c.object_type = 'liquidation_controls' AND c.id < a.id ORDER BY c.id DESC LIMIT 1
) AS switch
WHERE s.at = s.done_at AND (switch.after ->> 'kill_switch')::boolean
UNION ALL
SELECT format('case %s, step %s', s.case_id, s.number),
    format('%s was in %s', coalesce(nullif(underlying, ''), 'the platform'), mode.after ->> 'mode')
FROM liquidation_liquidationstep s
JOIN common_auditrow a ON a.object_type = 'liquidation_case' AND a.object_id = s.case_id::text
    AND a.action = 'liquidation_case.step' AND (a.after ->> 'steps')::bigint = s.number
CROSS JOIN LATERAL unnest(s.underlyings || ''::varchar) AS underlying
CROSS JOIN LATERAL (
    SELECT c.after FROM common_auditrow c
    WHERE c.object_type = 'risk_state' AND c.object_id = coalesce(nullif(underlying, ''), '*') AND c.id < a.id
    ORDER BY c.id DESC LIMIT 1
) AS mode
WHERE s.at = s.done_at AND mode.after ->> 'mode' IN ('hold', 'halt')
