"""Projects and the versioned things that recipes are made of."""
