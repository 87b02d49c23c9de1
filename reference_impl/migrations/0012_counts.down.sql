DROP INDEX users_suspended;
DROP INDEX users_deleted;
DROP INDEX orders_cancelled;
DROP INDEX orders_placed;
