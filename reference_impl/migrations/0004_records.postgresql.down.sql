DROP TABLE events;
DROP FUNCTION events_number;
DROP SEQUENCE events_id;
DROP TABLE audit_log;
