"""Who acts for whom: principals, tenant-scoped rows, units of work, events, audit, secrets."""
