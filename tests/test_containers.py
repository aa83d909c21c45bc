"""compose.yaml, the container file and the proxy's name only what exists; without an engine."""

import importlib.util
import re
from urllib.parse import urlsplit

import pytest
import yaml

from tests.cluster import COMPOSE
from tests.test_house import ROOT
from ui.visitor.session import SCHEDULER

SERVICES = COMPOSE["services"]
CONTAINER = (ROOT / "Containerfile").read_text()


def test_what_is_copied_exists_and_is_let_through() -> None:
    let_through = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.+)$", CONTAINER, re.MULTILINE)
        for name in line.split()[:-1]
    }
    assert copied == let_through
    for name in copied:
        assert (ROOT / name).exists(), name
    needed = {"core", "ui", "pages", "assets", ".streamlit", "dashboard.py", "requirements.txt"}
    assert needed <= copied


def test_the_image_is_built_in_two_stages_and_run_by_nobody_special() -> None:
    stages = re.findall(r"^FROM (\S+)", CONTAINER, re.MULTILINE)
    assert len(stages) == 2
    user = re.findall(r"^USER (.+)$", CONTAINER, re.MULTILINE)
    assert user == ["convscope"]
    assert "/_stcore/health" in CONTAINER
    assert "requirements-dask.txt" in CONTAINER


@pytest.mark.parametrize("service", SERVICES)
def test_services_build_and_depend_on_what_there_is(service: str) -> None:
    what = SERVICES[service]
    for other in what.get("depends_on", ()):
        assert other in SERVICES
    for network in what["networks"]:
        assert network in COMPOSE["networks"]
    if "build" in what:
        assert (ROOT / what["build"]["dockerfile"]).is_file()
    else:
        ours = what["volumes"][0].split(":")[0]
        assert (ROOT / ours).is_file()
    if "command" in what:
        python, flag, module, *_ = what["command"]
        assert (python, flag) == ("python", "-m")
        assert importlib.util.find_spec(module)


def test_only_the_proxy_is_reached_and_the_scheduler_is_in_a_closed_network() -> None:
    assert [name for name, what in SERVICES.items() if "ports" in what] == ["proxy"]
    assert COMPOSE["networks"]["work"]["internal"] is True
    for name in ("scheduler", "worker"):
        assert SERVICES[name]["networks"] == ["work"]


def test_dashboards_ask_the_scheduler_and_the_proxy_knows_the_dashboards() -> None:
    proxied = set(re.findall(r"(\S+):8501", (ROOT / "containers/Caddyfile").read_text()))
    asks = {name for name, what in SERVICES.items() if SCHEDULER in what.get("environment", {})}
    assert asks == proxied
    assert len(asks) == 2
    address = urlsplit(SERVICES["dashboard-1"]["environment"][SCHEDULER])
    assert (address.scheme, address.hostname) == ("tcp", "scheduler")
    assert str(address.port) in SERVICES["scheduler"]["command"]
    assert address.geturl() in SERVICES["worker"]["command"]
    assert "lb_policy cookie" in (ROOT / "containers/Caddyfile").read_text()


def test_the_container_starts_what_streamlit_has() -> None:
    start = re.findall(r"^CMD (\[.+\])$", CONTAINER, re.MULTILINE)[-1]
    program, run, file, *flags = yaml.safe_load(start)
    assert (program, run) == ("streamlit", "run")
    assert (ROOT / file).is_file()
    assert "--server.port=8501" in flags
