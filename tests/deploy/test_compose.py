"""deploy/compose.yaml: valid for Compose where that is installed, and true of what it names."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.config import VARIABLES
from tests.conftest import ROOT
from tests.deploy.nginx import SITE, command, configure, needs_nginx
from tests.service.support import posix_only

COMPOSE = ROOT / "deploy/compose.yaml"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    return loaded


def compose() -> list[str] | None:
    """The command: of Docker's plugin, or the program of its own; None where there is neither."""
    for words in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(words[0]) is None:
            continue
        if subprocess.run([*words, "version"], capture_output=True, check=False, timeout=60).returncode == 0:
            return words
    return None


def test_compose_finds_nothing_wrong() -> None:
    program = compose()
    if program is None:
        pytest.skip("Compose is not installed")
    arguments = [*program, "-f", str(COMPOSE), "config"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert set(yaml.safe_load(done.stdout)["services"]) == {"service", "nginx"}


def test_the_service_can_do_no_more_than_it_needs(services: dict[str, Any]) -> None:
    service = services["service"]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"] and "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in service and list(service["networks"]) == ["inside"]
    assert "privileged" not in service and "user" not in service  # the Dockerfile's has no rights
    assert re.search(r"^USER (?!root|0)\w+$", DOCKERFILE, re.MULTILINE)
    networks = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["networks"]
    assert networks["inside"]["internal"] is True
    for one in services.values():
        assert all(volume.endswith(":ro") or volume == "state:/state" for volume in one["volumes"])
        assert one["mem_limit"] and one["pids_limit"] and one["read_only"] is True


def test_what_it_names_is_there(services: dict[str, Any]) -> None:
    """Files beside it, folders and port of the image, settings of the service."""
    service, nginx = services["service"], services["nginx"]
    assert (COMPOSE.parent / service["build"]["context"] / "Dockerfile").is_file()
    models, state = service["volumes"]
    assert state == "state:/state" and "install --directory --owner=10001 --mode=700 /state" in DOCKERFILE
    kept = [value for name, value in service["environment"].items() if name.startswith(("KEYS_", "AUDIT_"))]
    assert len(kept) == 4 and all(value.startswith("/state/") for value in kept)
    source, target, _ = models.split(":")
    workdir = re.search(r"^WORKDIR (\S+)$", DOCKERFILE, re.MULTILINE)
    assert workdir and (target, (COMPOSE.parent / source).resolve()) == (f"{workdir[1]}/models", ROOT / "models")
    assert service["environment"].keys() <= VARIABLES.keys()
    assert service["environment"]["TRUSTED_PROXIES"] == "1"
    check = re.search(r"^    CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert check and ["CMD", *yaml.safe_load(check[1])] == service["healthcheck"]["test"]
    sources = {volume.split(":")[0]: volume.split(":")[1] for volume in nginx["volumes"]}
    assert (COMPOSE.parent / "nginx.conf").samefile(SITE) and sources["./nginx.conf"] == "/site.conf"
    site = SITE.read_text(encoding="utf-8")
    for file in re.findall(r"ssl_certificate(?:_key)? (\S+)/\w+\.pem;", site):
        assert file == sources["./certificates"]
    assert {f"{port}:{port}" for port in re.findall(r"listen (\d+)", site)} == set(nginx["ports"])
    graceful = re.search(r"^graceful_timeout = (\d+)$", (ROOT / "service/gunicorn.conf.py").read_text(), re.MULTILINE)
    assert graceful and int(service["stop_grace_period"].removesuffix("s")) > int(graceful[1])


@posix_only
@needs_nginx
def test_its_nginx_gets_a_valid_site_with_the_services_address(services: dict[str, Any], tmp_path: Path) -> None:
    """By its own command, with the container's paths replaced."""
    line = services["nginx"]["command"][2]
    address = services["service"]["networks"]["inside"]["ipv4_address"]
    nginx = configure(tmp_path, 5000)
    site = tmp_path / "site.conf"
    sed, sep, _ = line.partition(" && ")
    assert sep and " /site.conf > /etc/nginx/conf.d/default.conf" in sed
    changed = tmp_path / "changed.conf"
    sed = sed.replace("/site.conf", str(site)).replace("/etc/nginx/conf.d/default.conf", str(changed))
    subprocess.run(["/bin/sh", "-c", sed], check=True)
    before, after = site.read_text(encoding="utf-8"), changed.read_text(encoding="utf-8")
    assert after == before.replace("server 127.0.0.1:5000;", f"server {address}:5000;") != before
    changed.replace(site)
    done = subprocess.run(command(nginx, "-t"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
