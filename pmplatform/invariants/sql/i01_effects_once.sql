-- Each step, order, fill, result and settlement has one committed effect; fills never exceed their order.
SELECT format('case %s, step %s', case_id, number) AS subject, format('%s rows', count(*)) AS detail
FROM liquidation_liquidationstep GROUP BY case_id, number HAVING count(*) > 1
UNION ALL
SELECT format('case %s, step %s', object_id, after ->> 'steps'), format('done %s times', count(*))
FROM common_auditrow WHERE object_type = 'liquidation_case' AND action = 'liquidation_case.step'
GROUP BY object_id, after ->> 'steps' HAVING count(*) > 1
UNION ALL
SELECT format('order %s', key), format('%s rows', count(*))
FROM liquidation_liquidationorder GROUP BY key HAVING count(*) > 1
UNION ALL
SELECT format('order %s', o.key), format('%s filled of %s', sum(f.quantity), o.quantity)
FROM liquidation_liquidationorder o
JOIN liquidation_liquidationfill lf ON lf.order_id = o.id
JOIN accounts_fill f ON f.id = lf.fill_id
GROUP BY o.id HAVING sum(f.quantity) > o.quantity
UNION ALL
SELECT format('account %s, fill %s', account_id, client_id), format('%s rows', count(*))
FROM accounts_fill WHERE client_id <> '' GROUP BY account_id, client_id HAVING count(*) > 1
UNION ALL
SELECT format('account %s, run %s', account_id, run_id), format('%s results', count(*))
FROM margin_marginresult GROUP BY account_id, run_id HAVING count(*) > 1
UNION ALL
SELECT format('account %s, instrument %s', account_id, instrument_id), format('settled %s times', count(*))
FROM accounts_settlement GROUP BY account_id, instrument_id HAVING count(*) > 1
