-- since when a receiver takes nothing, and alerts about receivers
-- depends: 20261122_02_reports 20261122_05_receivers

-- migrate: apply
-- failing_since: the first attempt since the last that was taken; null where that one was taken, or
-- none was made yet. last_error: of the last attempt.
ALTER TABLE receivers ADD COLUMN failing_since timestamptz;
ALTER TABLE receivers ADD COLUMN last_error text;
UPDATE receivers SET failing_since = coalesce(disabled_at, now()), last_error = disabled_reason
WHERE failures > 0 OR disabled_at IS NOT NULL;

ALTER TABLE alerts DROP CONSTRAINT alerts_kind_check;
ALTER TABLE alerts ADD CONSTRAINT alerts_kind_check
    CHECK (kind IN ('pace', 'source-silent', 'report', 'receiver'));

-- migrate: rollback
DELETE FROM alerts WHERE kind = 'receiver';
ALTER TABLE alerts DROP CONSTRAINT alerts_kind_check;
ALTER TABLE alerts ADD CONSTRAINT alerts_kind_check
    CHECK (kind IN ('pace', 'source-silent', 'report'));
ALTER TABLE receivers DROP COLUMN last_error;
ALTER TABLE receivers DROP COLUMN failing_since;
