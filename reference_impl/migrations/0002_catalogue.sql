CREATE TABLE categories (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);

CREATE TABLE products (
  id TEXT PRIMARY KEY,
  seller_id TEXT NOT NULL REFERENCES users (id),
  category_id TEXT REFERENCES categories (id),
  name TEXT NOT NULL,
  slug TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  -- What a search looks in, case folded when it is written.
  search_text TEXT NOT NULL DEFAULT '',
  price_cents BIGINT NOT NULL CHECK (price_cents >= 0),
  discount_percent BIGINT NOT NULL DEFAULT 0 CHECK (discount_percent BETWEEN 0 AND 100),
  stock BIGINT NOT NULL CHECK (stock >= 0),
  version BIGINT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  deleted_at TEXT
);
CREATE INDEX products_created ON products (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX products_price ON products (price_cents, id) WHERE deleted_at IS NULL;
CREATE INDEX products_category ON products (category_id);

CREATE TABLE product_images (
  product_id TEXT NOT NULL REFERENCES products (id),
  position INTEGER NOT NULL,
  url TEXT NOT NULL,
  -- None for an image that lies elsewhere and was only named.
  thumbnail_url TEXT,
  PRIMARY KEY (product_id, position)
);

CREATE TABLE product_views (
  product_id TEXT NOT NULL REFERENCES products (id),
  user_id TEXT NOT NULL REFERENCES users (id),
  viewed_at TEXT NOT NULL,
  PRIMARY KEY (product_id, user_id)
);

CREATE TABLE reviews (
  id TEXT PRIMARY KEY,
  product_id TEXT NOT NULL REFERENCES products (id),
  user_id TEXT NOT NULL REFERENCES users (id),
  rating BIGINT NOT NULL CHECK (rating BETWEEN 1 AND 5),
  comment TEXT NOT NULL,
  created_at TEXT NOT NULL,
  UNIQUE (product_id, user_id)
);
CREATE INDEX reviews_newest ON reviews (product_id, created_at, id);
