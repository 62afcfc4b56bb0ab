-- Equal inputs give equal reports, a completed run's hash is that of its reports, and a result names the
-- snapshot of its run. (`verify_margin` computes a result anew and compares its bytes.)
SELECT format('account %s, inputs %s', account_id, input_sha256) AS subject,
    format('%s different reports', count(DISTINCT sha256(report))) AS detail
FROM margin_marginresult GROUP BY account_id, input_sha256 HAVING count(DISTINCT sha256(report)) > 1
UNION ALL
SELECT format('run %s', r.id), 'its reports are not those that were hashed'
FROM margin_marginrun r
JOIN margin_marginresult m ON m.run_id = r.id
WHERE r.state = 'completed'
GROUP BY r.id
HAVING count(*) = r.accounts
    AND encode(sha256(string_agg(sha256(m.report), ''::bytea ORDER BY m.account_id)), 'hex') <> r.result_sha256
UNION ALL
SELECT format('account %s, run %s', m.account_id, m.run_id),
    format('of snapshot %s in a run of snapshot %s', m.snapshot_id, r.snapshot_id)
FROM margin_marginresult m JOIN margin_marginrun r ON r.id = m.run_id
WHERE m.snapshot_id <> r.snapshot_id
