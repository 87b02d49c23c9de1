CREATE TABLE request_logs (
  id TEXT PRIMARY KEY,
  at TEXT NOT NULL,
  request_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  method TEXT NOT NULL,
  route TEXT NOT NULL,
  status BIGINT NOT NULL,
  duration_ms DOUBLE PRECISION NOT NULL
);
CREATE INDEX request_logs_at ON request_logs (at, id);
