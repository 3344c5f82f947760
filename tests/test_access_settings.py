"""Settings about callers: who answers for them, and how long their actions are on record."""

from datetime import timedelta

import pytest

from shared.settings import InvalidSettings
from shared.settings.values import Authentication
from tests.test_settings import settings


@pytest.mark.parametrize("on", ["true", "True", "1"])
def test_entra_needs_app_service_authentication(on: str) -> None:
    """The platform strips forged headers only where it is on; where it is not, the app refuses to start."""
    entra = settings(AUTHENTICATION="entra", WEBSITE_AUTH_ENABLED=on)
    assert (entra.authentication, entra.http_auth_level) == (Authentication.ENTRA, "ANONYMOUS")
    for off in ({}, {"WEBSITE_AUTH_ENABLED": "false"}, {"WEBSITE_AUTH_ENABLED": "yes"}):
        with pytest.raises(InvalidSettings) as refused:
            settings(AUTHENTICATION="entra", GRAPH_CLOUD="x", **off)
        assert len(refused.value.faults) == 2
        assert "AUTHENTICATION = 'entra'" in str(refused.value)
        assert "WEBSITE_AUTH_ENABLED" in str(refused.value)


def test_a_function_key_opens_the_api_by_default() -> None:
    """App Service authentication may be on top of it: then its principal is trusted."""
    assert (settings().authentication, settings().http_auth_level) == (Authentication.FUNCTION_KEYS, "FUNCTION")
    assert not settings().platform_authentication
    assert settings(WEBSITE_AUTH_ENABLED="True").platform_authentication


@pytest.mark.parametrize("text", ["Entra", "functionkeys", "none"])
def test_another_authentication_is_refused(text: str) -> None:
    """Exact case."""
    with pytest.raises(InvalidSettings, match="functionKeys or entra"):
        settings(AUTHENTICATION=text, WEBSITE_AUTH_ENABLED="true")


def test_audit_records_are_kept_for_a_year_by_default() -> None:
    """Longer than outcomes."""
    assert settings().audit_retention == timedelta(days=365)
    assert settings(AUDIT_RETENTION_DAYS="90").audit_retention == timedelta(days=90)
    with pytest.raises(InvalidSettings, match="AUDIT_RETENTION_DAYS"):
        settings(AUDIT_RETENTION_DAYS="0")
