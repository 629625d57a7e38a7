"""Development server: `python -m service`; in production, `service/run_gunicorn.sh`. And the operator's commands:
`python -m service keys …`. With `--enrol`, the page of `enrolment/` on this machine."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

from faces.packages import missing_is_told

with missing_is_told("python -m service"):
    from werkzeug.serving import is_running_from_reloader, run_simple

    from service import core_dumps
    from service.access import command as access_command
    from service.access.keys import KeysError
    from service.address import HOW_SET, check_address
    from service.audit import AuditError
    from service.audit import command as audit_command
    from service.config import Settings, SettingsError, take_from
    from service.monitoring.logs import QuietRequestHandler
    from service.reload import ProcessReloader


def main() -> None:
    """Serve, or do what the command says."""
    program = "python -m service"
    anywhere = argparse.ArgumentParser(program, add_help=False, allow_abbrev=False)
    anywhere.add_argument(
        "--env-file",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="settings, a NAME=value a line, which win over the environment; may be repeated, and the last one wins",
    )
    parser = argparse.ArgumentParser(
        program,
        usage=f"{program} [-h] [--env-file FILE] [COMMAND ...]\n{HOW_SET}",
        description="Without a command: serves POST /verify, for development.",
        parents=[anywhere],
    )
    parser.add_argument(
        "--enrol",
        action="store_true",
        help="open a page on this machine that leads from photos of you to a model; never in production",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog=program)
    access_command.add_commands(commands)
    audit_command.add_commands(commands)
    files, rest = anywhere.parse_known_args()  # first, since the option may stand after the command, too
    args = parser.parse_args(rest)
    if args.enrol and "run" in args:
        parser.error("--enrol goes without a command")
    try:
        for path in [*files.env_file, *args.env_file]:
            take_from(path)
        with missing_is_told(program):
            if args.enrol:
                sys.exit(_enrol())
            if "run" not in args:
                serve()
                return
            sys.exit(args.run(args))
    except SettingsError as error:
        sys.exit(f"Wrong settings:\n{error}")
    except (KeysError, AuditError) as error:
        sys.exit(str(error))


def _enrol() -> int:
    """Hand over: the service imports nothing of it, so no other server has it."""
    try:
        from enrolment.command import enrol
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("enrolment", "stages", "privacy", "quickstart", "tour"):
            raise
        sys.exit("--enrol needs the whole project: here is the service alone.")
    return enrol()


def serve() -> None:
    """Serve with Flask's own server; each request in a thread of its own."""
    try:
        settings = Settings.load()
    except SettingsError as error:
        sys.exit(f"Wrong settings:\n{error}")
    core_dumps.forbid()
    if not is_running_from_reloader():
        check_address(settings.host, settings.port)
    # The debugger is off, even with FLASK_DEBUG: every error is to be JSON, and the debugger's console would let
    # anybody who reaches the port run code. Flask does not read .env, since Settings has done that. There is one
    # process, so it may use all cores.
    app = ProcessReloader.start(settings)
    if settings.log_format == "json":  # Flask's `run` prints lines of its own
        run_simple(
            settings.host,
            settings.port,
            app,
            use_reloader=settings.debug,
            threaded=True,
            request_handler=QuietRequestHandler,
        )
        return
    app.run(
        settings.host,
        settings.port,
        debug=settings.debug,
        use_debugger=False,
        threaded=True,
        load_dotenv=False,
    )


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
