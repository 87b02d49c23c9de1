DROP INDEX products_deleted;
