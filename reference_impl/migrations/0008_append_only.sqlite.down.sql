DROP INDEX audit_log_action;
DROP INDEX audit_log_subject;
DROP INDEX audit_log_actor;
DROP TRIGGER audit_log_keeps_deletes;
DROP TRIGGER audit_log_keeps_updates;
