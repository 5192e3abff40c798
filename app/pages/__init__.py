"""One module per screen area; each handler turns a request into one command or query."""
