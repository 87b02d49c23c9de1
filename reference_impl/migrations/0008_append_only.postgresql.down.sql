DROP INDEX audit_log_action;
DROP INDEX audit_log_subject;
DROP INDEX audit_log_actor;
DROP TRIGGER audit_log_keeps ON audit_log;
DROP FUNCTION append_only();
