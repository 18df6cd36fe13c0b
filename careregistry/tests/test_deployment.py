"""The services that operators install: nobody runs as root, and the code is read-only."""

import re
from configparser import ConfigParser
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class

DEPLOY = settings.BASE_DIR / "deploy"
UNITS = sorted(DEPLOY.glob("systemd/*.service"))
# Of every unit, whatever it runs.
HARDENED = {
    "User": "careregistry",
    "Group": "careregistry",
    "UMask": "0027",
    "StateDirectoryMode": "0750",
    "ProtectSystem": "strict",
    "ProtectHome": "true",
    "PrivateTmp": "true",
    "PrivateDevices": "true",
    "NoNewPrivileges": "true",
    "CapabilityBoundingSet": "",
    "RestrictNamespaces": "true",
    "RestrictSUIDSGID": "true",
}


def service_in(unit: Path):
    parser = ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str
    parser.read_string(unit.read_text())
    return parser["Service"]


def services_of_ours():
    composed = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return {name: facts for name, facts in composed.items() if facts.get("image") == "careregistry"}


@pytest.mark.plan("SEC-I6")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_may_only_write_its_data(unit):
    service = service_in(unit)

    assert {name: service.get(name) for name in HARDENED} == HARDENED
    assert "ReadWritePaths" not in service


def test_there_is_a_unit_for_each_process():
    assert [unit.stem.partition("-")[2] for unit in UNITS] == ["lmtp", "mail", "web", "worker"]
    assert {"web", "worker", "beat", "mail", "lmtp"} < set(services_of_ours())


@pytest.mark.plan("SEC-I6")
@pytest.mark.parametrize("name", services_of_ours())
def test_a_container_may_only_write_its_data(name):
    service = services_of_ours()[name]

    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == ["data:/data"]
    # What the host lends is its own, never the network's.
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.plan("SEC-I6")
def test_the_image_is_not_roots():
    users = re.findall(r"^USER (\S+)", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)

    assert users[-1] == "10001:10001"


def test_the_commands_that_services_run_are_there():
    """With the options they are given."""
    lines = [service_in(unit)["ExecStart"].split() for unit in UNITS]
    lines += [service.get("command", []) for service in services_of_ours().values()]
    ours = [words[words.index("manage.py") + 1 :] for words in lines if "manage.py" in words]

    assert len(ours) == 5
    for name, *options in ours:
        command = load_command_class(get_commands()[name], name)
        command.create_parser("manage.py", name).parse_args(options)
