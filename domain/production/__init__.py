"""Jobs: what the units of work mean, and how a film is made from a topic."""
