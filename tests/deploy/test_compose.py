"""What the deployment files promise: own images, real settings, limits, no root, one door."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.keys import Role, load_keys
from ocr_service.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OWN = {name: service for name, service in SERVICES.items() if service["image"].startswith("headstone-ocr")}
SETTINGS = {f"HEADSTONE_{name.upper()}" for name in Settings.model_fields}
OF_COMPOSE = {
    "HEADSTONE_VERSION", "HEADSTONE_DOMAIN", "HEADSTONE_BACKUPS", "HEADSTONE_CPU_WORKERS", "HEADSTONE_GPU_WORKERS",
}  # fmt: skip
"""What the person who starts it all sets; not read by the service itself."""
SECRETS_DIR = "HEADSTONE_SECRETS_DIR"


@pytest.mark.parametrize("path", sorted(p for p in DEPLOY.rglob("*") if p.is_file() and "secrets" not in p.parts))
def test_every_variable_named_anywhere_is_a_real_one(path: Path) -> None:
    named = set(re.findall(r"\bHEADSTONE_[A-Z0-9_]*[A-Z0-9]\b", path.read_text("utf-8")))
    assert named <= SETTINGS | OF_COMPOSE | {SECRETS_DIR}


@pytest.mark.parametrize("name", OWN)
def test_the_environment_of_our_own_services_makes_settings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in OWN[name]["environment"].items():
        monkeypatch.setenv(variable, re.sub(r"\$\{HEADSTONE_DOMAIN[^}]*\}", "headstone.example.vn", value))
    for secret in COMPOSE["secrets"]:
        if secret.startswith("headstone_"):
            monkeypatch.setenv(secret.upper(), "x")
    monkeypatch.delenv("HEADSTONE_API_KEYS_FILE", raising=False)
    settings = Settings()
    assert settings.s3_endpoint
    if name == "api":
        assert "headstone.example.vn" in settings.allowed_hosts


def test_secrets_that_settings_read_have_the_name_of_a_setting() -> None:
    read = {secret for secret in COMPOSE["secrets"] if secret.startswith("headstone_")}
    assert {secret.upper() for secret in read} <= SETTINGS


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_limited_watched_and_without_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]
    limits = service["deploy"]["resources"]["limits"]
    assert {"cpus", "memory"} <= set(limits)
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    uid = int(str(service["user"]).split(":")[0])
    assert uid > 0
    assert service["restart"] in {"unless-stopped", "no"}


@pytest.mark.parametrize("name", SERVICES)
def test_each_image_has_a_version(name: str) -> None:
    image = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", SERVICES[name]["image"])
    _, _, version = image.partition(":")
    assert re.search(r"\d", version)


def test_only_the_proxy_is_reached_from_outside() -> None:
    published = {name: port for name, service in SERVICES.items() for port in service.get("ports", [])}
    assert {name for name, port in published.items() if not port.startswith("127.0.0.1:")} == {"proxy"}
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert {name for name, service in SERVICES.items() if "outside" in service["networks"]} == {"proxy", "grafana"}


def test_no_secret_is_written_down() -> None:
    for service in SERVICES.values():
        for variable, value in (service.get("environment") or {}).items():
            if re.search(r"PASSWORD|SECRET|KEY|TOKEN|DATABASE_URL|BROKER_URL", variable):
                assert str(value).startswith("/run/secrets/"), variable


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder beside the script, and what the script said when it filled it."""
    folder = tmp_path_factory.mktemp("deploy")
    (folder / "make-secrets").write_text((DEPLOY / "make-secrets").read_text("utf-8"))
    return folder, make_secrets(folder)


def make_secrets(folder: Path) -> str:
    command = ["sh", str(folder / "make-secrets"), "x.example"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_every_secret_is_made_by_the_script_and_kept_by_its_next_run(made: tuple[Path, str]) -> None:
    folder, said = made
    secrets = folder / "secrets"
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    assert {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()} <= set(before)
    assert oct(secrets.stat().st_mode & 0o777) == "0o700"
    assert "API key" in said
    assert make_secrets(folder) == ""
    assert before == {path.name: path.read_bytes() for path in secrets.iterdir()}


def test_the_key_that_the_script_makes_opens_the_service(made: tuple[Path, str]) -> None:
    folder, said = made
    keys = load_keys(folder / "secrets" / "api_keys.toml")
    admin = keys.find(next(line for line in said.splitlines() if "API key" in line).split()[-1])
    assert admin is not None
    assert admin.roles == {Role.ADMIN}


@cache
def help_of(*program: str) -> str:
    return subprocess.run([*program, "--help"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", OWN)
def test_what_our_own_services_run_can_be_started(name: str) -> None:
    """Each is a module or a command that answers ``--help``, and knows the options that it is given."""
    service = OWN[name]
    entry = service.get("entrypoint", ["headstone"])
    command = service.get("command", [])
    if entry[0] == "/bin/sh":
        command = shlex.split(re.search(r"headstone [^;]*", command[0])[0])  # type: ignore[index]
        entry, command = command[:1], command[1:]
    program = [sys.executable, *entry[1:]] if entry[0] == "python" else [str(Path(sys.executable).parent / entry[0])]
    words = [word for word in command if not word.startswith("-")][:1] if entry[0] == "headstone" else []
    answer = help_of(*program, *words)
    for option in (word for word in command if word.startswith("--")):
        assert option in answer


def test_the_dashboard_is_a_dashboard() -> None:
    dashboard = json.loads((DEPLOY / "grafana" / "headstone.json").read_text("utf-8"))
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids) > 10
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {"prometheus"}


@pytest.mark.parametrize("dockerfile", sorted({s["build"]["dockerfile"] for s in SERVICES.values() if "build" in s}))
def test_what_is_built_here_runs_as_nobody_special(dockerfile: str) -> None:
    lines = (DEPLOY.parent / dockerfile).read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER ")][-1] == "USER 10001"
    assert not any(":latest" in line for line in lines)
