"""Entry points for people and programs: pages, API, live streams, command line."""
