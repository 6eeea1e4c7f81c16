-- how long it takes from a figure to the message about it
-- depends: 20261122_02_reports

-- migrate: apply
-- The time of the newest figure that a letter is news of; null for reminders and what has no figure.
ALTER TABLE messages ADD COLUMN news_at timestamptz;

-- migrate: rollback
ALTER TABLE messages DROP COLUMN news_at;
