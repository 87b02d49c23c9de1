-- A worker that has not renewed itself by then is dead, and so are its sockets.
CREATE TABLE socket_workers (
  id TEXT PRIMARY KEY,
  expires_at TEXT NOT NULL
);

-- A room is there while somebody is in it; its row is what joining and leaving wait for.
CREATE TABLE rooms (
  name TEXT PRIMARY KEY
);

CREATE TABLE room_members (
  room TEXT NOT NULL REFERENCES rooms (name),
  connection_id TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id),
  worker_id TEXT NOT NULL,
  PRIMARY KEY (room, connection_id)
);
CREATE INDEX room_members_user ON room_members (room, user_id);
CREATE INDEX room_members_connection ON room_members (connection_id);
CREATE INDEX room_members_worker ON room_members (worker_id);
