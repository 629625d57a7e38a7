"""`python -m privacy` speaks the language of the terminal, in all that it says; what programs read stays English."""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import privacy
from faces.message import Message
from privacy.dvc import owed
from privacy.dvc.stores import Unreachable
from privacy.held.export_text import readme
from privacy.language import choose, either, is_yes, joined, say_again
from privacy.spanish import SPANISH
from privacy.spanish.common import COMMON
from privacy.spanish.dvc import DVC
from privacy.spanish.forget import FORGET
from privacy.spanish.forget_errors import FORGET_ERRORS
from privacy.spanish.held import HELD
from privacy.spanish.locking import LOCKING
from privacy.spanish.register import REGISTER
from service.client.arguments import SPANISH as OF_ARGUMENTS
from service.client.language import language_of_terminal, say
from service.client.spanish import SPANISH as OF_CLIENT
from stages.language.telling import SPANISH as OF_STAGES
from tests.conftest import ROOT
from tests.privacy.held_support import DAY, new_project
from tests.privacy.support import RUN, Project
from tests.service.client.support import placeholders, texts_in

FOLDER = Path(privacy.__file__).parent
FOLDERS = [FOLDER, *sorted(path.parent for path in FOLDER.glob("*/__init__.py") if path.parent.name != "spanish")]
COMMANDS = (
    (), ("consent",), ("consent", "add"), ("consent", "withdraw"), ("consent", "list"), ("status",), ("expire",),
    ("export",), ("lock",), ("unlock",), ("rekey",), ("reveal",), ("new-key",), ("forget",), ("certificate",),
    ("certificate", "verify"),
)  # fmt: skip
ENGLISH_WORDS = re.compile(
    r"\b(the|of|and|or|is|are|was|were|it|they|them|their|that|this|these|with|without|what|which|who|whose|whom|from"
    r"|for|to|in|on|at|by|be|not|nothing|nobody|anew|made|deleted|delete|photos?|files?|folders?|versions?|objects?"
    r"|keys?|cache|consents?|given|until|since|everything|runs?|yes|has|have|there|here|copies|usage|options"
    r"|arguments?|commands?|write|print|show|day|how|contact|address|withdrawn|holds|you|your|only|other|others|people"
    r"|person|picture|pictures|too|stay|stays|if|one|another|new|old|first|last|none|expected|error:? the)\b",
    re.IGNORECASE,
)


@pytest.fixture
def spanish() -> Iterator[None]:
    """Spanish for a while."""
    choose("es")
    yield
    choose("en")


def english_in(text: str) -> list[str]:
    """English words of a text, but for what is typed and what is a file's name."""
    text = re.sub(r"^ +(consent|new-key|(un)?lock|list|add)  ", "", text, flags=re.MULTILINE)  # commands
    text = re.sub(r"'[^'\n]*'|--[\w-]+|python -m [a-z]+( [a-z-]+)*|\S*[/_.{]\S*", " ", text)
    return ENGLISH_WORDS.findall(text)


def in_spanish(project: Project) -> Project:
    project.variables |= {"LC_ALL": "es_ES.UTF-8"}
    return project


# Nothing is said in one language alone --------------------------------------------------------------------------------


def test_the_two_languages_are_in_step() -> None:
    said = set().union(*map(texts_in, FOLDERS))
    assert len(said) > 300
    assert sorted(said - set(SPANISH) - set(OF_CLIENT) - set(OF_STAGES)) == [], "add these to privacy/spanish/"
    assert sorted(set(SPANISH) - said) == [], "nothing says these any more"


def test_nothing_is_translated_twice() -> None:
    parts = (COMMON, DVC, REGISTER, HELD, LOCKING, FORGET, FORGET_ERRORS)
    assert sum(map(len, parts)) == len(SPANISH)
    assert not SPANISH.keys() & OF_CLIENT.keys()
    twice = SPANISH.keys() & OF_STAGES.keys()
    assert {text: SPANISH[text] for text in twice} == {text: OF_STAGES[text] for text in twice}


@pytest.mark.parametrize("english", sorted(SPANISH))
def test_the_spanish_has_the_same_values(english: str) -> None:
    spanish = SPANISH[english]
    assert placeholders(spanish) == placeholders(english)
    ends = {" ": " ", ".": ".", ":": ":", "?": "?"}
    assert ends.get(english[-1]) == ends.get(spanish[-1])
    assert re.match(" *", english)[0] == re.match(" *", spanish)[0] or english == " until {day}"  # type: ignore[index]


def test_nothing_is_said_past_say() -> None:
    """No text in the code goes to the terminal, to a question or into the help as it is."""
    wrong = []
    for path in (path for folder in FOLDERS for path in sorted(folder.glob("*.py"))):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            told = call.args if name in ("print", "input", "getpass", "exit", "PrivacyError", "say", "Message") else []
            told = call.args[2:] if name == "progress" else told
            told = [*told, *(one.value for one in call.keywords if one.arg in ("help", "metavar", "title"))]
            plain = ast.JoinedStr if name in ("PrivacyError", "say", "Message") else ast.JoinedStr | ast.Constant
            for node in told:
                text = ast.unparse(node)
                if isinstance(node, plain) and re.search("[a-z]{2}", re.sub(r"\{[^}]*\}", "", text), re.IGNORECASE):
                    wrong.append(f"{path.name}:{node.lineno}: {text}")
    assert wrong == []


def test_argparse_says_nothing_of_its_own_that_has_no_spanish() -> None:
    """Whatever this version of Python says to a user; the rest is for who writes a parser."""
    source = Path(argparse.__file__).read_text(encoding="utf-8")
    said = {text for _, text in re.findall(r"""\b_\((?:\n\s*)?(["'])(.+?)\1\s*[,)%]""", source)}
    said |= {text for _, text in re.findall(r"""ngettext\((["'])(expected.+?)\1""", source)}
    for_programmers = re.compile(
        r"conflict|merge|mode|required=|'required'|dest=|callable|mutually|multiple|parser_name|filename|string|default"
        r"|not defined|heading|deprecated"
    )
    assert len(said) > 15
    assert {text.replace(r"\n", "\n") for text in said if not for_programmers.search(text)} - set(OF_ARGUMENTS) == set()
    for english, spanish in OF_ARGUMENTS.items():
        assert re.findall(r"%(?:\(\w+\))?[srd]", spanish) == re.findall(r"%(?:\(\w+\))?[srd]", english) or (
            english.startswith("invalid %(type)s")
        )


# Texts that are put together, or written down -------------------------------------------------------------------------


@pytest.mark.usefixtures("spanish")
def test_texts_in_a_text_are_said_too() -> None:
    deleted = Message("Earlier versions deleted from {place}: {count} objects.", place=Message("cache"), count=1)
    both = joined(" ", [deleted, "plain {x}"])
    assert both == "Earlier versions deleted from cache: 1 objects. plain {x}"
    assert say("Error: {error}", error=both) == "Error: Versiones anteriores borradas de caché: 1 objeto. plain {x}"
    assert say(either(["a", "b", "c"])) == "a o b o c"


def test_what_was_written_down_is_said_again() -> None:
    reason = "/mnt/x: y is not there: connect the disk, or remove the remote if it was never used"
    unsure = "nobody can tell whether it keeps what was deleted as old versions: nothing can be deleted over HTTP"
    assert say_again(unsure) == unsure
    choose("es")
    try:
        assert say_again(reason) == "no existe /mnt/x: y: conecta el disco, o quita el remoto si no se ha usado nunca"
        assert say_again(unsure).endswith("versiones antiguas lo que se borró: por HTTP no se puede borrar nada")
        assert say_again("Permission denied") == "Permission denied"
    finally:
        choose("en")


@pytest.mark.usefixtures("spanish")
def test_what_remotes_are_owed_is_written_in_english(tmp_path: Path) -> None:
    gone = Unreachable("storage", "/mnt", Message("nothing can be deleted over HTTP"))
    owed.owe(tmp_path, [gone], ["1" * 32], "forget", "2026-01-01T00:00:00+00:00")
    (debt,) = owed.read_debts(tmp_path)
    assert debt.reason == "nothing can be deleted over HTTP"


def test_an_export_says_what_is_missing_in_both_languages() -> None:
    text = readme("not_me/ana", DAY, [Message("the audit log of the service ({error})", error="x"), "data/index.csv"])
    assert text.count("- data/index.csv") == 2
    assert "- el registro de auditoría del servicio (x)" in text and "- the audit log of the service (x)" in text


@pytest.mark.parametrize("answer", ["s", "S", "si", "sí", "Sí ", "si\N{COMBINING ACUTE ACCENT}", "y", "yes", "YES"])
def test_yes_is_yes_in_both_languages(answer: str) -> None:
    assert is_yes(answer)


@pytest.mark.parametrize("answer", ["", "n", "no", "ninguna", "none", "sin", "yesterday"])
def test_anything_else_is_no(answer: str) -> None:
    assert not is_yes(answer)


# In a terminal that speaks Spanish ------------------------------------------------------------------------------------


def call(folder: Path, *arguments: str, language: str = "es_ES.UTF-8") -> subprocess.CompletedProcess[str]:
    """Run `python -m privacy` in a folder as the project."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "LC_ALL": language}
    environment |= {"COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_the_help_of_every_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from privacy import __main__ as program

    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(ROOT)
    assert language_of_terminal() == "es"
    try:
        for command in COMMANDS:
            monkeypatch.setattr(sys, "argv", ["privacy", *command, "--help"])
            with pytest.raises(SystemExit, match="0"):
                program.main()
            said = capsys.readouterr().out
            assert said.startswith("uso: python -m privacy") and "muestra esta ayuda y termina" in said
            assert english_in(said) == [], (command, said)
    finally:
        choose("en")


def test_the_help_in_a_terminal_of_its_own(tmp_path: Path) -> None:
    done = call(tmp_path, "--help")
    assert done.stdout.startswith("uso: python -m privacy [-h] COMANDO ...\n") and done.returncode == 0
    assert "\ncomandos:\n" in done.stdout and "\nopciones:\n" in done.stdout
    assert call(tmp_path, "--help", language="C.UTF-8").stdout.startswith("usage: python -m privacy [-h] COMMAND ...\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "error: faltan estos argumentos: COMANDO"),
        (("forgot",), "error: argumento COMANDO: opción no válida: 'forgot' (las que hay son 'forget'"),
        (("consent", "add"), "error: faltan estos argumentos: quién"),
        (("consent", "add", "ana", "--until", "ayer"), "--until: 'ayer' no es un día; debe ser año-mes-día, como"),
        (("lock", "--all-versions", "--no-purge"), "--no-purge: no se puede usar junto con --all-versions"),
        (("lock", "--key-file"), "argumento --key-file: hace falta un valor"),
        (("status", "--jsonn", "x"), "error: argumentos desconocidos: "),
        (("forget",), "Error: en {root} no hay ninguna carpeta .dvc, así que no se conserva nada"),
        (("expire", "--yes"), "A ninguna foto se le ha pasado el plazo."),
        (("status",), "No hay nada pendiente."),
        (("unlock",), "No hay nada cifrado."),
        (("consent", "withdraw", "ana"), "no hay ninguna línea de not_me/ana, así que no hay nada que retirar"),
        (("consent", "add", "ana", "--until", "2030-01-01"), "not_me/ana: dado el 20"),
        (("consent", "add", "ANA"), "Nota: 'ANA' no es nadie que tenga fotos en data/. ¿Querías decir not_me/ana?"),
        (("certificate", "verify", "x"), "Error: no se puede leer la clave de los certificados"),
        (("export", "eva"), "'eva' no es nadie que tenga fotos en data/; debe ser me, una subcarpeta"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)  # fmt: skip
@pytest.mark.long
def test_what_is_said_in_a_project_without_dvc(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    if arguments[:1] == ("certificate",):
        (tmp_path / ".dvc").mkdir()
        (tmp_path / ".dvc/config").touch()
    done = call(new_project(tmp_path, "me/1.jpg", "not_me/ana/1.jpg"), *arguments)
    both = done.stdout + done.stderr
    assert said.format(root=tmp_path) in both, both
    assert english_in(re.sub(r"Error: .*:|\(\[Errno.*?\)", "", both)) == [], both


@pytest.mark.slow
def test_a_dry_run_in_spanish(project: Project) -> None:
    project.dvc("remote", "add", "--quiet", "storage", str(project.root.parent / "gone"))
    said = in_spanish(project).forget("ana", "--dry-run")
    assert said.startswith("Se va a olvidar esto:\n  not_me/ana/0.png\n") and "Lo que se borra:" in said
    assert "en caché (" in said and "foto 2" in said and "recorte 2" in said and "lista de archivos" in said
    assert "pendiente en storage" in said and "conecta el disco, o quita el remoto" in said
    assert "Después se rehace todo sin esa persona (dvc repro)." in said
    assert english_in(said.replace("First (HEAD -> main)", "")) == [], said
    assert "escribe 'ana'" not in said and project.forget("nobody", "--dry-run", status=1).startswith(
        "Error: nobody no está en ninguna versión"
    )


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a terminal that a test writes to")
def test_a_question_in_spanish_refused_and_accepted(project: Project) -> None:
    """What is done says so in Spanish; the certificate, which programs read, is in English."""
    import pty

    for answer, status in (("n", 1), ("sí", 0)):
        ours, theirs = pty.openpty()
        os.write(ours, f"{answer}\n".encode())
        done = subprocess.run(
            [sys.executable, "-c", RUN, "forget", "ana"], cwd=project.root, env=in_spanish(project).environment(),
            stdin=theirs, capture_output=True, text=True, encoding="utf-8", timeout=200, check=False,
        )  # fmt: skip
        os.close(ours)
        os.close(theirs)
        assert done.returncode == status, done.stderr
        own, _, of_dvc = done.stdout.partition("Rehaciéndolo todo: dvc repro\n")
        assert "¿Borrarlo todo, para siempre? [s/N] " in own
        assert english_in(own.replace("First (HEAD -> main)", "")) == [], own
        assert (project.root / "data/not_me/ana/0.png").exists() is (answer == "n")
        if answer == "n":
            assert own.endswith("[s/N] No se ha hecho nada.\n")
    _, _, end = of_dvc.partition("Si el servicio")
    assert "Olvidado. El certificado: private/privacy/certificates/" in end
    assert english_in(end) == [], end
    (certificate,) = project.certificates()
    content = json.loads(certificate.read_text(encoding="utf-8"))
    assert set(content["what"]) >= {"photo", "crop", "list of files"} and content["checked"]["how"].startswith("every ")
    verified = project.privacy("certificate", "verify", str(certificate))
    assert verified.stdout == "El sello es correcto, y todo lo que nombra el certificado sigue borrado.\n"


@pytest.mark.slow
def test_json_stays_english(tmp_path: Path) -> None:
    new_project(tmp_path, "me/1.jpg", "not_me/ana/1.jpg")
    call(tmp_path, "consent", "add", "ana", "--given", "2020-01-01", "--until", "2021-01-01")
    listed = json.loads(call(tmp_path, "consent", "list", "--json").stdout)
    assert listed[0]["who"] == "not_me/ana" and listed[0]["holds"] is False
    state = json.loads(call(tmp_path, "status", "--json").stdout)
    reasons = {reason for person in state["people"] for reason in person["without_consent"].values()}
    assert reasons == {"consent ended on 2021-01-01", "no consent: data/consent.csv has no line for it"}
    shown = call(tmp_path, "status").stdout
    assert shown.split("\n")[0].split() == ["quién", "fotos", "desde", "consentimiento", "dado", "hasta"]
    assert "el consentimiento terminó el 2021-01-01: not_me/ana" in shown or "2021-01-01: not_me/ana" in shown
