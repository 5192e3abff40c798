"""`vfos`: every command of the program, one module each under app/commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from types import ModuleType

from adapters import settings as settings_module
from adapters.embedded.process import ServiceError
from adapters.settings import SettingsError
from app.commands import admin, check, doctor, library, migrate, produce, pump, render, up, web, worker
from app.console import INTERRUPTED, WRONG, CommandError, Console

COMMANDS: dict[str, ModuleType] = {
    "up": up,
    "produce": produce,
    "render": render,
    "check": check,
    "library": library,
    "doctor": doctor,
    "migrate": migrate,
    "admin": admin,
    "web": web,
    "pump": pump,
    "worker": worker,
}
"""Name → module with SUMMARY, add_arguments(parser) and run(arguments, settings, console) -> exit code."""

EPILOGUE = """\
exit codes:
  0    done
  1    tried and failed (a job failed, a document has errors, a check found faults)
  2    not tried: wrong arguments or settings, or a service that cannot be reached
  130  stopped by Ctrl-C

Settings are environment variables; docs/operations.md lists them all.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; answer its exit code."""
    arguments = parser().parse_args(argv)
    console = Console(json=arguments.json)
    try:
        settings = settings_module.load()
        return int(COMMANDS[arguments.command].run(arguments, settings, console))
    except SettingsError as error:
        console.error(CommandError(*error.faults, code=WRONG))
        return WRONG
    except ServiceError as error:
        console.error(CommandError(str(error), code=WRONG))
        return WRONG
    except CommandError as error:
        console.error(error)
        return error.code
    except KeyboardInterrupt:
        console.end_bar()
        console.say("stopped")
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """The command line of all commands."""
    whole = argparse.ArgumentParser(
        prog="vfos",
        description="Makes narrated videos on an assembly line.",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(dest="command", metavar="command", required=True)
    for name, module in COMMANDS.items():
        part = commands.add_parser(name, help=module.SUMMARY, description=module.__doc__)
        part.add_argument("--json", action="store_true", help="answer as JSON on standard output")
        module.add_arguments(part)
    return whole


if __name__ == "__main__":
    sys.exit(main())
