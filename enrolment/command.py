"""`python -m service --enrol`: starts the page, says where it is, and opens it."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Mapping

from werkzeug.serving import make_server

from enrolment.application import Application
from enrolment.errors import EnrolmentError
from enrolment.language import tell
from enrolment.mounted import Mounted
from enrolment.refusals import HOST, check_settings, given_settings, put_into_environment
from enrolment.secret import Secret
from enrolment.session import Session
from faces.errors import UserError
from faces.message import Message
from quickstart import guarded
from service import core_dumps
from service.address import check_address
from service.client.language import language_of_terminal
from service.config import PROJECT_ROOT, Settings, SettingsError
from service.monitoring.logs import QuietRequestHandler
from stages.language.telling import speak


def enrol(browser: bool = True) -> int:
    """Serve the page until Ctrl-C; returns the exit code.

    Args:
        browser: open it, where this machine has a screen.
    """
    language = language_of_terminal()
    speak(language)  # what the tour says of params.yaml
    try:
        return guarded(lambda: _serve(browser))
    except UserError as error:
        print(tell(error, language), file=sys.stderr)
        return 1
    except SettingsError as error:
        print(tell(Message("Wrong settings:\n{error}", error=str(error)), language), file=sys.stderr)
        return 1


def _serve(browser: bool) -> int:
    language = language_of_terminal()
    os.chdir(PROJECT_ROOT)  # the pipeline's paths are relative to it
    if not (PROJECT_ROOT / "dvc.yaml").is_file():
        raise EnrolmentError(
            "there is no dvc.yaml here: guided enrolment needs the whole project, not the service alone"
        )
    given = given_settings()
    settings = Settings.load()
    check_settings(settings, given)
    core_dumps.forbid()
    check_address(HOST, settings.port)
    secret, mounted = Secret(), Mounted(put_into_environment(settings.port, given))
    session = Session(mounted.renew, language)
    application = Application(session, secret, mounted, settings.port)
    with make_server(HOST, settings.port, application, threaded=True, request_handler=QuietRequestHandler) as server:
        address = f"http://{HOST}:{settings.port}/enrol/"
        print(
            tell(
                Message("Open this page in a browser on this machine: {page}", page=f"{address}#{secret.token}"),
                language,
            )
        )
        print(tell(Message("It runs until you press Ctrl-C, and no other machine can reach it."), language), flush=True)
        try:
            session.prepare()
            if browser and has_screen(os.environ):
                webbrowser.open(f"{address}#{secret.new_ticket()}")
            server.serve_forever()
        finally:
            session.close()
    return 0


def has_screen(environment: Mapping[str, str]) -> bool:
    """Whether a browser with windows can be opened: one in the terminal would cover what stands there.

    Args:
        environment: variables by name.
    """
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
