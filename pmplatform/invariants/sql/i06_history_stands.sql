-- Snapshots and versions only go forward, and the triggers that make history immutable are on.
SELECT format('snapshot %s', sequence) AS subject, format('of %s, after one of %s', as_of, before) AS detail
FROM (
    SELECT sequence, as_of, lag(as_of) OVER (ORDER BY sequence) AS before FROM margin_marketsnapshot
) AS snapshots
WHERE as_of < before
UNION ALL
SELECT format('%s from %s', methodology, effective_from), format('%s published versions', count(*))
FROM margin_parameterversion WHERE state IN ('approved', 'scheduled', 'active', 'superseded')
GROUP BY methodology, effective_from HAVING count(*) > 1
UNION ALL
SELECT format('version %s', id), format('%s since %s, and in force from %s', state, approved_at, effective_from)
FROM margin_parameterversion
WHERE state IN ('approved', 'scheduled', 'active', 'superseded') AND origin = 'proposal'
    AND approved_at >= effective_from
UNION ALL
SELECT format('trigger %s', tgname), 'is off'
FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'O'
