"""DoSQL: one SQLite database a tenant, asked by other services over HTTP; an app of its own."""
