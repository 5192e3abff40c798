"""Everything that touches the outside: providers, media, storage, settings, wiring."""
