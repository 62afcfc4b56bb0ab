-- Every figure is a finite number, requirements are not negative, and the initial one is the larger.
SELECT format('account %s, run %s', account_id, run_id) AS subject,
    format('equity %s, mmr %s, imr %s, ratio %s', adjusted_equity, mmr, imr, margin_ratio) AS detail
FROM margin_marginresult
WHERE net_equity = 'NaN' OR adjusted_equity = 'NaN' OR mmr = 'NaN' OR imr = 'NaN' OR mmr < 0 OR imr < mmr
    OR margin_ratio IN ('NaN', 'Infinity', '-Infinity') OR leverage IN ('NaN', 'Infinity', '-Infinity')
UNION ALL
SELECT format('account %s, run %s, unit %s', account_id, run_id, unit), format('mmr %s, imr %s', mmr, imr)
FROM margin_unitresult
WHERE mmr = 'NaN' OR imr = 'NaN' OR mmr < 0 OR imr < mmr
    OR ARRAY[delta, cash_delta, spot_in_use] && ARRAY['NaN', 'Infinity', '-Infinity']::float8[]
UNION ALL
SELECT format('account %s, %s', account_id, currency), format('balance %s', amount)
FROM accounts_balance WHERE amount = 'NaN'
UNION ALL
SELECT format('account %s, instrument %s', account_id, instrument_id), format('position %s at %s', quantity, entry_price)
FROM accounts_position WHERE quantity = 'NaN' OR entry_price = 'NaN'
