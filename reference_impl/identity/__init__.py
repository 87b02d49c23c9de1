"""Who is calling: passwords, tokens, API keys, cookies, a login provider, client addresses."""
