"""Settings: defaults, forms, and one message for all faults."""

from datetime import timedelta
from typing import Any

import pytest

from shared.settings import InvalidSettings, Settings

STORAGE = {"UPDATES_STORAGE": "UseDevelopmentStorage=true"}
KEYED = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net"


def settings(**changes: str) -> Settings:
    """Settings of just these."""
    return Settings.from_environ(STORAGE | changes)


def test_the_defaults_are_the_contracts() -> None:
    """Storage alone is enough."""
    loaded = settings()
    assert (loaded.queue, loaded.poison_queue, loaded.table_prefix) == (
        "compliance-updates",
        "compliance-updates-poison",
        "compliance",
    )
    assert (loaded.graph_root, loaded.graph_audience) == (
        "https://graph.microsoft.com",
        "https://graph.microsoft.com/.default",
    )
    assert (loaded.graph_api_version, loaded.client_id, loaded.public_base_url) == ("beta", None, None)
    assert (loaded.write_quota.count, loaded.write_quota.seconds, loaded.graph_timeout_seconds) == (100, 20, 30)
    assert (loaded.retry_base_seconds, loaded.retry_max_seconds) == (2, 900)
    assert (loaded.delivery_deadline, loaded.outcome_retention) == (timedelta(hours=24), timedelta(days=30))
    assert loaded.webhook_sources == {}


def test_telemetry_is_on_by_the_platforms_own_settings() -> None:
    """In the forms that the portal gives; none of them is shown when another setting is wrong."""
    key = "11111111-1111-4111-8111-111111111111"
    text = f"InstrumentationKey={key};IngestionEndpoint=https://x.example/;LiveEndpoint=https://y.example/"
    assert settings().telemetry is None
    for connection_string in (
        text,
        f"InstrumentationKey={key}",
        f"IngestionEndpoint=https://x;instrumentationkey={key}",
    ):
        assert settings(APPLICATIONINSIGHTS_CONNECTION_STRING=connection_string).telemetry == connection_string
    for sign_in in ("Authorization=AAD", f"Authorization=AAD;ClientId={key}"):
        assert settings(APPLICATIONINSIGHTS_AUTHENTICATION_STRING=sign_in).telemetry_sign_in == sign_in
    assert settings(PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY="false").telemetry is None


@pytest.mark.parametrize(
    ("cloud", "root"),
    [
        ("global", "https://graph.microsoft.com"),
        ("usgov", "https://graph.microsoft.us"),
        ("usgovdod", "https://dod-graph.microsoft.us"),
        ("china", "https://microsoftgraph.chinacloudapi.cn"),
    ],
)
def test_a_cloud_has_its_root_and_audience(cloud: str, root: str) -> None:
    """And an override changes the root alone."""
    loaded = settings(GRAPH_CLOUD=cloud)
    assert (loaded.graph_root, loaded.graph_audience) == (root, f"{root}/.default")
    other = settings(GRAPH_CLOUD=cloud, GRAPH_BASE_URL="http://127.0.0.1:7072/")
    assert (other.graph_root, other.graph_audience) == ("http://127.0.0.1:7072", f"{root}/.default")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UPDATES_STORAGE", "nonsense"),
        ("UPDATES_STORAGE", "AccountName=a;AccountKey="),
        ("UPDATES_QUEUE", "Upper"),
        ("UPDATES_QUEUE", "a--b"),
        ("UPDATES_QUEUE", "q" * 49),
        ("UPDATES_TABLE_PREFIX", "1a"),
        ("UPDATES_TABLE_PREFIX", "a-b"),
        ("GRAPH_CLOUD", "mars"),
        ("GRAPH_BASE_URL", "http://graph.example"),
        ("GRAPH_BASE_URL", "http://127.0.0.1.evil.example"),
        ("GRAPH_BASE_URL", "https://user:pass@graph.example"),  # pragma: allowlist secret
        ("GRAPH_BASE_URL", "ftp://127.0.0.1"),
        ("GRAPH_BASE_URL", "http://[::1"),
        ("GRAPH_API_VERSION", "v2"),
        ("AZURE_CLIENT_ID", "me"),
        ("APPLICATIONINSIGHTS_CONNECTION_STRING", "IngestionEndpoint=https://x.example"),
        ("APPLICATIONINSIGHTS_CONNECTION_STRING", "InstrumentationKey=me"),
        ("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "Authorization=key"),
        ("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "Authorization=AAD;ClientId=me"),
        ("PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY", "true"),
        ("GRAPH_WRITE_QUOTA", "100"),
        ("GRAPH_WRITE_QUOTA", "0/20"),
        ("GRAPH_WRITE_QUOTA", "100/0"),
        ("GRAPH_WRITE_QUOTA", "x/y"),
        ("GRAPH_TIMEOUT_SECONDS", "nan"),
        ("GRAPH_TIMEOUT_SECONDS", "0"),
        ("DELIVERY_DEADLINE_HOURS", "-1"),
        ("RETRY_BASE_SECONDS", "x"),
        ("RETRY_BASE_SECONDS", "901"),
        ("RETRY_MAX_SECONDS", "inf"),
        ("OUTCOME_RETENTION_DAYS", "0"),
        ("WEBHOOK_SOURCES", "[]"),
        ("WEBHOOK_SOURCES", '{"a b": {"verify": {}}}'),
        ("WEBHOOK_SOURCES", '{"a": {}}'),
        ("PUBLIC_BASE_URL", "relay.example"),
        ("PUBLIC_BASE_URL", "https://gateway.example/über"),
        ("PUBLIC_BASE_URL", "https://gätewäy.example"),
        ("PUBLIC_BASE_URL", "https://gateway.example/a b"),
        ("PUBLIC_BASE_URL", "https://gateway.example/a\tb"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    """With what is accepted."""
    with pytest.raises(InvalidSettings, match=f"{name} = .*accepted is"):
        settings(**{name: value})


@pytest.mark.parametrize(("days", "hours"), [("1.5", "24"), ("30", "697"), ("0.01", "0.001")])
def test_outcomes_are_kept_a_day_beyond_the_deadline_at_least(days: str, hours: str) -> None:
    """A retention that purges what may still be delivered is a fault that names both settings."""
    with pytest.raises(InvalidSettings, match=r"OUTCOME_RETENTION_DAYS = .*DELIVERY_DEADLINE_HOURS"):
        settings(OUTCOME_RETENTION_DAYS=days, DELIVERY_DEADLINE_HOURS=hours)
    assert settings(OUTCOME_RETENTION_DAYS="2", DELIVERY_DEADLINE_HOURS="24").outcome_retention == timedelta(days=2)


def test_all_faults_come_in_one_message_without_secrets() -> None:
    """An operator mends them in one go."""
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_environ(
            {"UPDATES_STORAGE": "AccountKey=s3cret", "GRAPH_CLOUD": "mars", "WEBHOOK_SOURCES": '["s3cret"]'}
        )
    for name in ("UPDATES_STORAGE", "GRAPH_CLOUD", "'mars'", "WEBHOOK_SOURCES"):
        assert name in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_storage_is_required_and_blank_is_unset() -> None:
    """The message says all that would do."""
    with pytest.raises(InvalidSettings, match=r"UPDATES_STORAGE is missing.*__queueServiceUri"):
        Settings.from_environ({"UPDATES_STORAGE": "  ", "GRAPH_CLOUD": " "})


@pytest.mark.parametrize("text", ["UseDevelopmentStorage=true", KEYED, f"{KEYED};"])
def test_a_connection_string_is_taken_as_it_is(text: str) -> None:
    """And beats the prefix form, as in the host."""
    loaded = settings(UPDATES_STORAGE=text, UPDATES_STORAGE__queueServiceUri="https://q.example")
    assert loaded.storage.connection_string == text
    assert loaded.storage.queue_service_uri is None


@pytest.mark.parametrize("prefix", ["queueServiceUri", "serviceUri"])
def test_the_identity_form_needs_both_addresses(prefix: str) -> None:
    """With the identity that signs in."""
    form = {
        f"UPDATES_STORAGE__{prefix}": "https://a.queue.core.windows.net",
        "UPDATES_STORAGE__tableServiceUri": "https://a.table.core.windows.net",
        "UPDATES_STORAGE__credential": "managedidentity",
        "UPDATES_STORAGE__clientId": "3f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11",
    }
    loaded = Settings.from_environ(form).storage
    assert (loaded.queue_service_uri, loaded.credential) == ("https://a.queue.core.windows.net", "managedidentity")
    for missing in (f"UPDATES_STORAGE__{prefix}", "UPDATES_STORAGE__tableServiceUri"):
        with pytest.raises(InvalidSettings, match="accepted is an https address"):
            Settings.from_environ({name: text for name, text in form.items() if name != missing})
    for bad in ({"UPDATES_STORAGE__credential": "key"}, {"UPDATES_STORAGE__clientId": "me"}):
        with pytest.raises(InvalidSettings):
            Settings.from_environ(form | bad)


def test_values_are_read_as_they_mean() -> None:
    """Numbers, durations, JSON, URLs."""
    changes: dict[str, Any] = {
        "GRAPH_WRITE_QUOTA": "5/1.5",
        "DELIVERY_DEADLINE_HOURS": "0.5",
        "PUBLIC_BASE_URL": "https://gw.example/relay/",
        "WEBHOOK_SOURCES": '{"jamf": {"verify": {"type": "header", "header": "x-key", "secrets": ["s"]}}}',
    }
    loaded = settings(**changes)
    assert (loaded.write_quota.count, loaded.write_quota.seconds) == (5, 1.5)
    assert loaded.delivery_deadline == timedelta(minutes=30)
    assert loaded.public_base_url == "https://gw.example/relay"
    assert set(loaded.webhook_sources) == {"jamf"}
