"""One module per command of `vfos`: add_arguments(parser), run(arguments, settings, console)."""
