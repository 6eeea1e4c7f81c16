-- digests to agencies
-- depends: 20261122_07_digests

-- migrate: apply
ALTER TABLE digests DROP CONSTRAINT digests_form_check;
ALTER TABLE digests ADD CONSTRAINT digests_form_check
    CHECK (form IN ('unit', 'leaders', 'agency'));

-- migrate: rollback
DELETE FROM messages WHERE id IN (SELECT message FROM digests WHERE form = 'agency');
ALTER TABLE digests DROP CONSTRAINT digests_form_check;
ALTER TABLE digests ADD CONSTRAINT digests_form_check CHECK (form IN ('unit', 'leaders'));
