"""What is under ``deploy/``: linted by those who made the formats, and held to what a server of secrets owes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from compose_spec import PyOptions

from innkeeper.issuer.settings import Settings, load

DEPLOY = Path(__file__).parents[2] / "deploy"
HADOLINT = Path(sys.executable).with_name("hadolint")
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))

Document = dict[str, Any]


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def resources(kind: str = "") -> list[Document]:
    documents = [one for path in KUBERNETES for one in yaml.safe_load_all(path.read_text("utf-8"))]
    return [one for one in documents if not kind or one["kind"] == kind]


def composed() -> Document:
    options = PyOptions()
    options.apply_merge = True
    compose = options.from_yaml((DEPLOY / "compose.yaml").read_text("utf-8"))
    compose.validate()
    found: Document = compose.to_dict()
    return found


def the(found: list[Document]) -> Document:
    (one,) = found
    return one


POD = the(resources("Deployment"))["spec"]["template"]["spec"]
CONTAINERS = [*POD["initContainers"], *POD["containers"]]


def test_the_dockerfile_is_without_fault() -> None:
    linted = run(HADOLINT, "--no-color", DEPLOY / "Dockerfile")
    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_image_runs_as_nobody_special_and_says_how_it_is() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "/readyz" in last.partition("HEALTHCHECK")[2]
    assert re.search(r"^VOLUME /var/lib/innkeeper$", last, re.MULTILINE)
    copied = re.findall(r"^COPY ((?!--from).+) \S+$", DOCKERFILE, re.MULTILINE)
    assert all((DEPLOY.parent / one).exists() for line in copied for one in line.split())


def test_the_image_is_built_of_the_extras_that_there_are() -> None:
    extras = set(re.findall(r"\.\[([\w,]+)\]", DOCKERFILE)[0].split(","))
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text("utf-8"))["project"]
    assert extras <= project["optional-dependencies"].keys()


def test_the_compose_file_is_one_and_shows_nothing_but_the_issuer_on_loopback() -> None:
    services = composed()["services"]
    assert services.keys() == {"database", "upgrade", "innkeeper"}
    assert [(name, one["ports"]) for name, one in services.items() if one.get("ports")] == [
        ("innkeeper", ["127.0.0.1:8400:8400"])
    ]
    for name in ("upgrade", "innkeeper"):
        one = services[name]
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
        assert "no-new-privileges:true" in one["security_opt"]
    assert composed()["networks"]["inside"]["internal"] is True


@pytest.mark.parametrize(
    "resource", [one for one in resources() if one["kind"] != "Kustomization"], ids=lambda one: one["kind"]
)
@pytest.mark.parametrize("version", ["1.31", "1.37"])
def test_each_resource_is_one_of_kubernetes(resource: Document, version: str) -> None:
    kubernetes_validate.validate(resource, version, strict=True)


def test_every_file_is_applied() -> None:
    listed = the(resources("Kustomization"))["resources"]
    assert sorted(listed) == [path.name for path in KUBERNETES if path.name != "kustomization.yaml"]


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda one: one["name"])
def test_no_container_may_do_more_than_it_has_to(container: Document) -> None:
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    written = {one["mountPath"] for one in container["volumeMounts"] if not one.get("readOnly")}
    assert written == {"/var/lib/innkeeper", "/tmp"}
    assert not [one for one in container["env"] if "value" in one], "a secret stands in the manifest"


def test_a_rolling_restart_takes_no_pod_away_before_the_next_is_ready() -> None:
    spec = the(resources("Deployment"))["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert the(resources("PodDisruptionBudget"))["spec"]["minAvailable"] < spec["replicas"]
    probes = {
        name: POD["containers"][0][f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")
    }
    assert probes == {"startup": "/readyz", "readiness": "/readyz", "liveness": "/healthz"}
    assert POD["terminationGracePeriodSeconds"] > 10


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed here")
def test_systemd_takes_the_unit_and_finds_it_little_exposed(tmp_path: Path) -> None:
    unit = tmp_path / "innkeeper.service"
    text = (DEPLOY / "innkeeper.service").read_text("utf-8")
    unit.write_text(text.replace("/opt/innkeeper/bin/innkeeper", "/bin/true"), "utf-8")
    verified = run("systemd-analyze", "verify", unit)
    assert (verified.returncode, verified.stderr) == (0, "")
    said = run("systemd-analyze", "security", "--offline=true", unit).stdout
    exposure = re.search(r"exposure level for innkeeper.service: ([\d.]+)", said)
    assert exposure is not None
    assert float(exposure[1]) <= 2.0


def test_what_the_settings_and_commands_say_is_understood(tmp_path: Path) -> None:
    kept = the(resources("ConfigMap"))["data"]["innkeeper.toml"]
    for text in ((DEPLOY / "innkeeper.toml").read_text("utf-8"), kept):
        path = tmp_path / "innkeeper.toml"
        path.write_text(text, "utf-8")
        assert isinstance(load(path, {}), Settings)
        assert load(path, {}).keys.master
    units = re.findall(
        r"^Exec\w+=/opt/innkeeper/bin/innkeeper (.+)$", (DEPLOY / "innkeeper.service").read_text(), re.MULTILINE
    )
    spoken = [*(" ".join(one["args"]) for one in CONTAINERS), *units, "serve --workers 2"]
    for line in spoken:
        words = line.split()
        command = words[:2] if words[0] == "db" else words[:1]
        options = [word for word in words if word.startswith("--")]
        told = run(Path(sys.executable).with_name("innkeeper"), *command, "--help").stdout
        assert [option for option in options if option not in told] == []
