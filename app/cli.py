"""`vfos`: every command of the program, one module each under app/commands."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType

from adapters import settings as settings_module
from adapters.embedded.process import ServiceError
from adapters.settings import SettingsError
from app.console import INTERRUPTED, WRONG, CommandError, Console

COMMANDS: Mapping[str, str] = {
    "up": "start everything; Ctrl-C stops all",
    "produce": "make one film and wait for it",
    "render": "render a timeline document from plain files",
    "check": "check a timeline document without rendering",
    "plan": "say what rendering a document would make, and why",
    "inspect": "judge a video file: the quality gate on any film",
    "still": "write one picture of a film or document",
    "contact-sheet": "write a sheet of pictures of a film or document",
    "export": "write a document as OTIO, EDL, SRT, VTT, TTML, ASS or transcript",
    "import": "read an edited OTIO file, or captions (SRT, VTT)",
    "catalogue": "list, show, export and save recipes, prompts, presets, validators and knowledge",
    "library": "add pictures to a project's library",
    "simulate": "simulate a farm from a scenario file",
    "queue": "look at pools and steer them",
    "workers": "list worker units, drain them, start and drain local ones by need",
    "doctor": "check services, tools, disk and keys",
    "migrate": "bring the database schema up to date",
    "admin": "owner's tasks: sign-in links, people who are locked out, workspaces, providers",
    "secrets": "care of the secrets' keys: status, verify, rotate-kek, rotate-dek",
    "audit": "check the audit trails",
    "web": "run the web server",
    "pump": "run the pump (wakes workers, relays events, returns lost steps)",
    "worker": "run a worker unit",
}
"""Name → what it does. Each is a module of app.commands: add_arguments(parser), run(arguments, settings, console)."""

MODULES = {"import": "import_", "contact-sheet": "contact_sheet"}
"""Modules whose names differ from their commands'."""

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
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = parser(words[0] if words else "").parse_args(words)
    console = Console(json=arguments.json)
    try:
        settings = settings_module.load()
        return int(command(arguments.command).run(arguments, settings, console))
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


def command(name: str) -> ModuleType:
    """The module of a command; loaded only when it is needed, because some bring heavy libraries along."""
    return importlib.import_module(f"app.commands.{MODULES.get(name, name)}")


def parser(wanted: str = "") -> argparse.ArgumentParser:
    """The command line: all names, and the arguments of the wanted command."""
    whole = argparse.ArgumentParser(
        prog="vfos",
        description="Makes narrated videos on an assembly line.",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(dest="command", metavar="command", required=True)
    for name, summary in COMMANDS.items():
        part = commands.add_parser(name, help=summary)
        if name == wanted:
            module = command(name)
            part.description = module.__doc__
            part.add_argument("--json", action="store_true", help="answer as JSON on standard output")
            module.add_arguments(part)
    return whole


if __name__ == "__main__":
    sys.exit(main())
