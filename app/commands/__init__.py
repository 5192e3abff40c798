"""One module per command of `vfos`: SUMMARY, add_arguments(parser), run(arguments, settings, console)."""
