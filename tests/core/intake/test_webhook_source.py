"""Webhook sources as a setting describes them: every fault is named at start, and no secret."""

from typing import Any

import pytest

from shared.settings import InvalidSettings
from tests.web.test_webhooks import a_world

KEY = {"type": "header", "header": "x", "secrets": ["hush"]}
HMAC = {"type": "hmacSha256", "header": "x", "secrets": ["hush"]}


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ({"verify": {"type": "md5", "secrets": ["hush"]}}, "s.verify.type"),
        ({"verify": {"type": "header", "secrets": ["hush"]}}, "s.verify.header"),
        ({"verify": {"type": "header", "header": "x", "secrets": []}}, "s.verify.secrets"),
        # pragma: allowlist nextline secret
        ({"verify": {"type": "header", "header": "x", "secrets": "hush"}}, "s.verify.secrets"),
        ({"verify": {"type": "header", "header": "x", "secrets": ["hush"], "prefix": ""}}, "s.verify.prefix"),
        ({"verify": {"type": "standardWebhooks", "secrets": ["whsec_hush!"]}}, "s.verify.secrets"),
        ({"verify": {"type": "hmacSha256", "header": "x", "secrets": ["hush"], "encoding": "x"}}, "s.verify.encoding"),
        ({"verify": {"type": "header", "header": "x", "secrets": ["hush"]}, "map": {"a b": "x"}}, "a b"),
        ({"verify": {"type": "header", "header": "x", "secrets": ["hush"]}, "map": {"source": "x"}}, "source"),
        ({"verify": {"type": "header", "header": "x", "secrets": ["hush"]}, "map": {"$each": "x"}}, "s.map"),
        (
            {"verify": {"type": "header", "header": "x", "secrets": ["hush"]}, "map": {"userPrincipalName": "a ||"}},
            "s.map.userPrincipalName",
        ),
        ({"verify": KEY, "map": {"userPrincipalName": "body("}}, "s.map.userPrincipalName"),
        ({"verify": KEY, "map": {"userPrincipalName": "tiemstamp(x)"}}, "tiemstamp()"),
        ({"verify": KEY, "map": {"userPrincipalName": "a || [b(c)]"}}, "b()"),
        ({"verify": KEY, "map": {"userPrincipalName": 7}}, "s.map.userPrincipalName"),
        ({"verify": KEY, "challenge": "slack"}, "s.challenge"),
        ({"verify": KEY, "other": 1}, "s.other"),
        ({"verify": HMAC | {"signedContent": "v0:{header:T}"}}, "s.verify.signedContent"),
        ({"verify": HMAC | {"signedContent": "{body}{other}"}}, "s.verify.signedContent"),
        ({"verify": HMAC | {"timestampHeader": "T"}}, "s.verify.timestampHeader"),
        ({"verify": HMAC | {"timestampHeader": "T T", "signedContent": "{body}"}}, "s.verify.timestampHeader"),
        ({"verify": KEY | {"signedContent": "{body}"}}, "s.verify.signedContent"),
        ({}, "s.verify"),
        (7, "s must be a JSON object"),
    ],
)
def test_a_bad_source_stops_the_app_and_shows_no_secret(source: Any, named: str) -> None:
    """At start, by its path."""
    with pytest.raises(InvalidSettings) as raised:
        a_world({"s": source})
    assert named in str(raised.value)
    assert "hush" not in str(raised.value)


def test_every_bad_source_is_named_at_once() -> None:
    """Not one a start."""
    with pytest.raises(InvalidSettings) as raised:
        a_world({"one": {}, "two": {}, "bad name": {}})
    assert all(name in str(raised.value) for name in ("one.verify", "two.verify", "bad name"))
