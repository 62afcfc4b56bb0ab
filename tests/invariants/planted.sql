-- What violates an invariant, each statement in a world that is in order. The line above names invariant and deed.

-- I1: fills beyond their order
UPDATE liquidation_liquidationorder SET quantity = 1;

-- I2: a step that raises the deficit
UPDATE liquidation_liquidationstep SET after = '{"deficit": 19}';

-- I3: a step on a stale snapshot
UPDATE liquidation_liquidationstep SET at = at + interval '1 hour', done_at = at;

-- I3: a step in hold
UPDATE margin_marketsnapshot SET held = '{"fx.USDT": [1.0, 0.65]}';

-- I3: a step by an unknown engine
UPDATE liquidation_liquidationstep SET engine = '0.0.1';

-- I3: a step under unknown parameters
UPDATE liquidation_liquidationstep SET parameters_sha256 = '';

-- I4: a step left out
UPDATE liquidation_liquidationstep SET number = 3;

-- I5: a report that says something else
UPDATE margin_marginreport SET content = '{}';

-- I5: a part changed after its run was hashed
UPDATE margin_marginrunpart SET result_sha256 = 'x';

-- I5: a result of another snapshot
UPDATE margin_marginresult SET snapshot_id = 99;

-- I6: a version approved when it was in force
UPDATE margin_parameterversion SET origin = 'proposal', proposer = 'a', approver = 'b', approved_at = now()
    WHERE version = '2025-01-21';

-- I7: an equity that is no number
UPDATE margin_marginresult SET net_equity = 'NaN';

-- I7: an infinite ratio
UPDATE margin_marginresult SET margin_ratio = 'Infinity';

-- I7: an initial requirement below the other
UPDATE margin_unitresult SET imr = 1;

-- I7: an exposure that is no number
UPDATE margin_unitresult SET delta = 'NaN';

-- I8: a message that waits
UPDATE common_outboxrow SET created_at = now() - interval '2 minutes';

-- I9: an hourly run without end
UPDATE margin_marginrun SET state = 'margin', finished_at = NULL, created_at = now() - interval '1 hour';

-- I9: an hourly run that failed without a hold
UPDATE margin_marginrun SET state = 'failed';

-- I10: cash out of nowhere
UPDATE accounts_balance SET amount = amount + 1;

-- I10: a position gone
DELETE FROM accounts_position;

-- I10: a ledger with a gap
INSERT INTO accounts_ledgerentry (account_id, kind, subject, before, after, by, request_id, at)
    SELECT account_id, kind, subject, '{"amount": "7"}', after, by, request_id, at FROM accounts_ledgerentry
    WHERE subject LIKE 'balance:%';

-- I10: a case that does not add up
UPDATE liquidation_liquidationcase SET residuals = '{"balance:USDT": "1"}';

-- I10: a fund without entries
INSERT INTO liquidation_fundbalance (currency, amount) VALUES ('USDT', 5);

-- I11: rows that nobody seals
UPDATE common_auditpending SET created_at = now() - interval '1 hour';

-- I11: an approver who proposed
UPDATE margin_parameterversion SET proposer = 'a', approver = 'a';

-- I11: a version moved without a trace
UPDATE margin_parameterversion SET origin = 'rollback', state = 'rejected';

-- I11: a case moved without a trace
UPDATE liquidation_liquidationcase SET state = 'paused';

-- I11: a kill switch without a trace
INSERT INTO liquidation_liquidationcontrols (id, kill_switch, approve_mode, reason, changed_by, changed_at)
VALUES (1, true, false, '', '', now()) ON CONFLICT (id) DO UPDATE SET kill_switch = true;

-- I11: an account moved without a trace
INSERT INTO accounts_eligibilitytransition (account_id, kind, from_state, to_state, methodology, from_margin, to_margin,
    reasons, evidence, by, request_id, at)
SELECT id, 'left', 'active', 'standard', methodology, margin_methodology, 'standard', '[]', '{}', 'a', '', now()
FROM accounts_account;

-- I11: a risk state without a trace
INSERT INTO margin_riskstate (underlying, mode, reason, changed_by, changed_at) VALUES ('SOL', 'halt', 'x', 'a', now());

-- I12: a write by another tenant's token
INSERT INTO accounts_tenant (slug, name, created_at) VALUES ('other', 'Other', now());INSERT INTO accounts_apitoken (public_id, digest, name, scopes, networks, enabled, expires_at, created_by, created_at, tenant_id) SELECT 'x', repeat('0', 64), '', '{trade}', '{}', true, now(), '', now(), id FROM accounts_tenant WHERE slug = 'other';
UPDATE accounts_ledgerentry SET by = 'token:x';

-- I12: an act of a tenant outside of it
INSERT INTO accounts_tenant (slug, name, created_at) VALUES ('other', 'Other', now());INSERT INTO accounts_apitoken (public_id, digest, name, scopes, networks, enabled, expires_at, created_by, created_at, tenant_id) SELECT 'x', repeat('0', 64), '', '{trade}', '{}', true, now(), '', now(), id FROM accounts_tenant WHERE slug = 'other';
UPDATE common_auditrow SET actor = 'token:x';

-- I12: an event told to another tenant
INSERT INTO common_event (kind, tenant, data, at)
    SELECT 'margin', tenant_id + 1, jsonb_build_object('account', id), now() FROM accounts_account;

-- I13: portfolio margin without activation
UPDATE accounts_account SET activation_id = NULL;

-- I13: an activation below the minimum
UPDATE accounts_eligibilitytransition SET kind = 'restored', net_equity = 1, min_net_equity = 10000;

-- I13: an enrolment without declaration
UPDATE accounts_eligibilitytransition SET kind = 'enrolled', net_equity = 9, min_net_equity = 9;

-- I13: a suspended account under portfolio margin
UPDATE accounts_account SET eligibility_state = 'suspended';

-- I14: a part that nobody works on
UPDATE margin_marginrun SET state = 'margin', finished_at = NULL, created_at = now() - interval '1 hour';
UPDATE margin_marginrunpart SET state = 'pending';

-- I14: a case that nobody works on
UPDATE liquidation_liquidationcase SET due_at = now() - interval '1 hour';

-- I3: a step while the kill switch was on
INSERT INTO common_auditrow (id, at, actor, action, object_type, object_id, after, reason, request_id)
VALUES (-1, now(), 'a', 'set', 'liquidation_controls', '1', '{"kill_switch": true}', '', '');

-- I3: a step while the platform was in hold
INSERT INTO common_auditrow (id, at, actor, action, object_type, object_id, after, reason, request_id)
VALUES (-1, now(), 'a', 'set', 'risk_state', '*', '{"mode": "hold"}', '', '');

-- I3: a step while its coin was in halt
INSERT INTO common_auditrow (id, at, actor, action, object_type, object_id, after, reason, request_id)
VALUES (-1, now(), 'a', 'set', 'risk_state', 'BTC', '{"mode": "halt"}', '', '');

-- I2: a close that flips its position
INSERT INTO accounts_ledgerentry (account_id, kind, subject, before, after, by, request_id, at)
SELECT c.account_id, 'liquidation', 'position:BTC-USDT-SWAP', '{"quantity": "10"}', '{"quantity": "-2"}', '', '', s.done_at
FROM liquidation_liquidationstep s JOIN liquidation_liquidationcase c ON c.id = s.case_id;

-- I11: a seal out of its chain
INSERT INTO common_auditseal
VALUES (2, 'common_auditrow', '{1}', '', 'of another chain', repeat('0', 64), now());

-- I6: a trigger that is off
ALTER TABLE accounts_fill DISABLE TRIGGER accounts_fill_append_only;
