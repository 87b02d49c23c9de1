-- What the comparison apps' four operations touch, as the reference has it.
CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL, roles TEXT NOT NULL, deleted_at TEXT);
CREATE TABLE sessions (id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (id), expires_at TEXT NOT NULL, revoked_at TEXT);
CREATE TABLE categories (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE products (
  id TEXT PRIMARY KEY, seller_id TEXT NOT NULL REFERENCES users (id), category_id TEXT REFERENCES categories (id),
  name TEXT NOT NULL, slug TEXT NOT NULL UNIQUE, description TEXT NOT NULL, search_text TEXT NOT NULL,
  price_cents BIGINT NOT NULL CHECK (price_cents >= 0), stock BIGINT NOT NULL CHECK (stock >= 0), version BIGINT NOT NULL,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL, deleted_at TEXT
);
CREATE INDEX products_created ON products (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX products_price ON products (price_cents, id) WHERE deleted_at IS NULL;
CREATE INDEX products_category ON products (category_id);
CREATE INDEX products_deleted ON products (id) WHERE deleted_at IS NOT NULL;
CREATE TABLE product_images (product_id TEXT NOT NULL REFERENCES products (id), position INTEGER NOT NULL, url TEXT NOT NULL, PRIMARY KEY (product_id, position));
CREATE TABLE audit_log (id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, actor_id TEXT NOT NULL, action TEXT NOT NULL, subject_id TEXT NOT NULL, details TEXT NOT NULL);
CREATE INDEX audit_log_actor ON audit_log (actor_id, id);
CREATE INDEX audit_log_subject ON audit_log (subject_id, id);
CREATE INDEX audit_log_action ON audit_log (action, id);
CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, channel TEXT NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL);
