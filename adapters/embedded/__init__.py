"""PostgreSQL and Redis that come from wheels, for the one-machine default."""
