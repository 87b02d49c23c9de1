-- Admins count at one moment: what is few is counted by itself, and revenue is read from an index alone.
CREATE INDEX orders_placed ON orders (status, total_cents) WHERE status = 'placed';
CREATE INDEX orders_cancelled ON orders (status) WHERE status = 'cancelled';
CREATE INDEX users_deleted ON users (id) WHERE deleted_at IS NOT NULL;
CREATE INDEX users_suspended ON users (status) WHERE deleted_at IS NULL AND status = 'suspended';
