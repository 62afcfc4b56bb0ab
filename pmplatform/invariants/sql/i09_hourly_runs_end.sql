-- One hourly run per period, ended by its deadline; a failed one has put the platform into hold until a
-- person lets it go on, or a later hourly run has completed.
SELECT format('period %s', period) AS subject, format('%s hourly runs', count(*)) AS detail
FROM margin_marginrun WHERE reason = 'hourly' GROUP BY period HAVING count(*) > 1
UNION ALL
SELECT format('run %s', id), format('in %s since %s', state, created_at)
FROM margin_marginrun
WHERE reason = 'hourly' AND state IN ('stress', 'margin') AND created_at < now() - interval '20 minutes'
UNION ALL
SELECT format('run %s', id), format('failed, and nothing was held: %s', failure)
FROM margin_marginrun r
WHERE reason = 'hourly' AND state = 'failed' AND NOT EXISTS (
    SELECT FROM common_auditrow a
    WHERE a.object_type = 'risk_state' AND a.object_id = '*' AND a.after ->> 'mode' IN ('hold', 'halt')
        AND a.request_id = format('run-%s', r.id)
)
