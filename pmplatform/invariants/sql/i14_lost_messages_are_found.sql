-- Whatever became of its message, no work lies about: sweepers have woken it within ten minutes.
SELECT format('part %s of run %s', p.id, p.run_id) AS subject, format('%s, and nobody at work', p.state) AS detail
FROM margin_marginrunpart p JOIN margin_marginrun r ON r.id = p.run_id
WHERE r.state = p.kind AND p.state IN ('pending', 'claimed')
    AND greatest(r.created_at, p.lease_until, p.started_at) < now() - interval '10 minutes'
UNION ALL
SELECT format('case %s', id), format('due since %s, and nobody at work', due_at)
FROM liquidation_liquidationcase
WHERE state = 'working' AND greatest(due_at, lease_until) < now() - interval '10 minutes'
