DROP TABLE oauth_accounts;
DROP TABLE oauth_states;
DROP TABLE api_keys;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE users;
