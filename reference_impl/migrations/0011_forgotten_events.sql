-- Old events are deleted from the oldest on; `through` is the last that was, so that a reader from before can be told.
CREATE TABLE forgotten_events (
  through BIGINT NOT NULL
);
