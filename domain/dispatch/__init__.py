"""A durable fair queue that knows units of work, not what they do."""
