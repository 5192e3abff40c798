"""The demo workspace: texts, pictures and music of the project Deep Sky, and their description."""
