"""Where rows live: one database a tenant, behind five verbs."""
