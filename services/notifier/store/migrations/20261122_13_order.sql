-- deliveries in the order in which they were written
-- depends: 20261122_05_receivers

-- migrate: apply
-- Many letters are written of one moment; by their ids some would wait for all that came later.
ALTER TABLE deliveries ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;
DROP INDEX deliveries_receiver;
CREATE INDEX deliveries_receiver ON deliveries (receiver, created_at, number)
    WHERE state = 'waiting';

-- migrate: rollback
DROP INDEX deliveries_receiver;
ALTER TABLE deliveries DROP COLUMN number;
CREATE INDEX deliveries_receiver ON deliveries (receiver, created_at, id) WHERE state = 'waiting';
