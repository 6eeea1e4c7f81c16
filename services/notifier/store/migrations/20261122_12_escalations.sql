-- who was last told of units that do not answer
-- depends: 20261122_04_stages

-- migrate: apply
CREATE INDEX works_escalated ON works (note, done_at) WHERE work = 'escalated';

-- migrate: rollback
DROP INDEX works_escalated;
