"""What people can ask of production: one verb-named function per command."""
