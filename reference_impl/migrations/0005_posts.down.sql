DROP TABLE tenant_settings;
DROP TABLE posts;
