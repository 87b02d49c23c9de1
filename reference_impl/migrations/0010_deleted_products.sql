-- What is deleted is little, and counted without walking the rest.
CREATE INDEX products_deleted ON products (id) WHERE deleted_at IS NOT NULL;
