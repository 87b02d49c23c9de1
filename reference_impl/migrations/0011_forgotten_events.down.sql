DROP TABLE forgotten_events;
