-- Cash and positions are the fold of their ledger, each entry starts where the one before ended, closed
-- cases add up, and the insurance fund holds the sum of its entries.
SELECT format('account %s, %s', account_id, subject) AS subject,
    format('ledger %s, rows %s', ledger, held) AS detail
FROM (
    SELECT DISTINCT ON (account_id, subject) account_id, subject,
        coalesce(after ->> 'amount', after ->> 'quantity', '0')::numeric AS ledger
    FROM accounts_ledgerentry WHERE subject LIKE 'balance:%' OR subject LIKE 'position:%'
    ORDER BY account_id, subject, id DESC
) AS folded
FULL JOIN (
    SELECT account_id, 'balance:' || currency AS subject, amount AS held FROM accounts_balance
    UNION ALL
    SELECT p.account_id, 'position:' || i.code, p.quantity
    FROM accounts_position p JOIN accounts_instrument i ON i.id = p.instrument_id
) AS holdings USING (account_id, subject)
WHERE coalesce(ledger, 0) <> coalesce(held, 0)
UNION ALL
SELECT format('account %s, %s', account_id, subject), format('entry %s starts from %s after %s', id, before, last)
FROM (
    SELECT id, account_id, subject, before, lag(after) OVER (PARTITION BY account_id, subject ORDER BY id) AS last
    FROM accounts_ledgerentry
) AS entries
WHERE last IS DISTINCT FROM before
UNION ALL
SELECT format('case %s', id), format('does not add up: %s', residuals)
FROM liquidation_liquidationcase WHERE residuals <> '{}'
UNION ALL
SELECT format('insurance fund, %s', subject), format('entries %s, rows %s', entries, held)
FROM (
    SELECT subject, sum(amount) AS entries FROM liquidation_fundentry GROUP BY subject
) AS summed
FULL JOIN (
    SELECT 'balance:' || currency AS subject, amount AS held FROM liquidation_fundbalance
    UNION ALL
    SELECT 'position:' || i.code, f.quantity
    FROM liquidation_fundposition f JOIN accounts_instrument i ON i.id = f.instrument_id
) AS holdings USING (subject)
WHERE coalesce(entries, 0) <> coalesce(held, 0)
