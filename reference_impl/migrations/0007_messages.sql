CREATE TABLE room_messages (
  id TEXT PRIMARY KEY,
  room TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id),
  text TEXT NOT NULL,
  created_at TEXT NOT NULL
);
CREATE INDEX room_messages_room ON room_messages (room, created_at, id);
