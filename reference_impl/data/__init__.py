"""Where rows live: one database a tenant, behind four verbs."""
