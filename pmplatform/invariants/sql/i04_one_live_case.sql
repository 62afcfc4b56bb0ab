-- One live case per account; its steps are taken one after another, none left out.
SELECT format('account %s', account_id) AS subject, format('%s live cases', count(*)) AS detail
FROM liquidation_liquidationcase WHERE state <> 'closed' GROUP BY account_id HAVING count(*) > 1
UNION ALL
SELECT format('case %s', case_id), format('%s steps up to number %s', count(DISTINCT number), max(number))
FROM liquidation_liquidationstep GROUP BY case_id HAVING count(DISTINCT number) <> max(number)
UNION ALL
SELECT format('case %s, step %s', later.case_id, later.number), format('taken before step %s was done', earlier.number)
FROM liquidation_liquidationstep later
JOIN liquidation_liquidationstep earlier ON earlier.case_id = later.case_id AND earlier.number = later.number - 1
WHERE earlier.state <> 'done' OR earlier.done_at > later.at
