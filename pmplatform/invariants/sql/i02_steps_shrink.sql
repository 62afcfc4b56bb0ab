-- A step shrinks the deficit (one that repays at least never raises it); closes and basis legs never flip
-- or enlarge a position. Rows of the ledger belong to a step by their instant, where no other step shares it.
SELECT format('case %s, step %s', s.case_id, s.number) AS subject,
    format('%s moves the deficit from %s to %s', s.kind, s.before ->> 'deficit', s.after ->> 'deficit') AS detail
FROM liquidation_liquidationstep s JOIN liquidation_liquidationcase c ON c.id = s.case_id
WHERE s.state = 'done' AND s.kind <> 'cancel_orders' AND CASE
    WHEN c.trigger = 'repay' AND s.kind = 'repay'
        THEN (s.after ->> 'deficit')::float8
            > (s.before ->> 'deficit')::float8 + 1e-9 * abs((s.before ->> 'deficit')::float8)
    ELSE (s.after ->> 'deficit')::float8 >= (s.before ->> 'deficit')::float8
END
UNION ALL
SELECT format('case %s, step %s', s.case_id, s.number),
    format('%s moves %s from %s to %s', s.kind, l.subject, l.before ->> 'quantity', coalesce(l.after ->> 'quantity', '0'))
FROM liquidation_liquidationstep s
JOIN liquidation_liquidationcase c ON c.id = s.case_id
JOIN accounts_ledgerentry l ON l.account_id = c.account_id AND l.at BETWEEN s.at AND s.done_at
    AND l.kind = 'liquidation' AND l.subject LIKE 'position:%'
CROSS JOIN LATERAL (
    SELECT coalesce((l.before ->> 'quantity')::numeric, 0) AS before, coalesce((l.after ->> 'quantity')::numeric, 0) AS after
) AS held
WHERE s.state = 'done' AND s.kind IN ('close', 'basis')
    AND (held.before * held.after < 0 OR abs(held.after) > abs(held.before))
    AND NOT EXISTS (
        SELECT FROM liquidation_liquidationstep o
        WHERE o.case_id = s.case_id AND l.at BETWEEN o.at AND o.done_at AND o.id <> s.id
    )
