"""Setting Azure Monitor up: what is switched off, who signs in, and that it can stop nobody."""

import subprocess
import sys
from typing import Any

import pytest
from azure.monitor.opentelemetry._constants import _ALL_SUPPORTED_INSTRUMENTED_LIBRARIES

from emulator.stack import ROOT
from shared.adapters import azure_monitor

MINE, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def test_nothing_is_instrumented_behind_our_back() -> None:
    """A new version of the distribution may know more libraries: then its spans would hold ids."""
    assert set(azure_monitor._INSTRUMENTATIONS) == set(_ALL_SUPPORTED_INSTRUMENTED_LIBRARIES)


@pytest.mark.parametrize(
    ("sign_in", "client"),
    [
        ("Authorization=AAD", MINE),
        (f"Authorization=AAD;ClientId={OTHER}", OTHER),
        (f"authorization=aad;clientid={OTHER};", OTHER),
    ],
)
def test_the_hosts_own_setting_says_which_identity_signs_in(sign_in: str, client: str) -> None:
    """The one it names, else the app's."""
    made: list[Any] = []

    def credential(client_id: str | None) -> str:
        made.append(client_id)
        return "credential"

    assert azure_monitor.credential_of(sign_in, MINE, credential) == {"credential": "credential"}
    assert made == [client]
    assert azure_monitor.credential_of(None, MINE, credential) == {}


def test_a_telemetry_that_cannot_be_set_up_is_none() -> None:
    """The app goes on without it."""
    code = (
        "from shared.adapters.azure_monitor import azure_monitor\n"
        "made = azure_monitor('nonsense', sign_in=None, client_id=None, queue='q', graph_root='https://g')\n"
        "assert type(made).__name__ == 'NoTelemetry'"
    )
    env = {"APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true", "PATH": ""}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=env)
