-- Equal inputs give equal reports, a report says what its result does, a completed run's hash is that of its
-- parts, and a result names the snapshot of its run. (`verify_margin` computes a result anew and compares.)
SELECT format('account %s, inputs %s', account_id, inputs) AS subject, format('%s reports', count(*)) AS detail
FROM (
    SELECT DISTINCT account_id, convert_from(content, 'UTF8')::jsonb ->> 'input_sha256' AS inputs, sha256(content)
    FROM margin_marginreport
) AS reports
GROUP BY account_id, inputs HAVING count(*) > 1
UNION ALL
SELECT format('account %s, run %s', m.account_id, m.run_id), 'the report is not that of the result'
FROM margin_marginresult m
JOIN margin_marginreport k USING (run_id, account_id)
CROSS JOIN LATERAL (SELECT convert_from(k.content, 'UTF8')::jsonb AS report) AS j
WHERE j.report ->> 'input_sha256' IS DISTINCT FROM m.input_sha256
    OR j.report #>> '{account,status}' IS DISTINCT FROM m.status
    OR coalesce(abs((j.report #>> '{account,mmr}')::numeric - m.mmr) > 0.00000002, true)
    OR coalesce(abs((j.report #>> '{account,adjusted_equity}')::numeric - m.adjusted_equity) > 0.00000002, true)
UNION ALL
SELECT format('run %s', r.id), 'its parts are not those that were hashed'
FROM margin_marginrun r
JOIN margin_marginrunpart p ON p.run_id = r.id AND p.kind = 'margin' AND p.result_sha256 <> ''
WHERE r.state = 'completed'
GROUP BY r.id
HAVING encode(sha256(convert_to(
    '[' || string_agg(format('["%s","%s"]', p.name, p.result_sha256), ',' ORDER BY p.name) || ']', 'UTF8'
    )), 'hex') <> r.result_sha256
UNION ALL
SELECT format('account %s, run %s', m.account_id, m.run_id),
    format('of snapshot %s in a run of snapshot %s', m.snapshot_id, r.snapshot_id)
FROM margin_marginresult m JOIN margin_marginrun r ON r.id = m.run_id
WHERE m.snapshot_id <> r.snapshot_id
