"""Who is calling: passwords, access tokens, sessions, client addresses."""
