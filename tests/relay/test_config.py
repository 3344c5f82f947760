"""The address and the key: what is accepted, and that the key is never printed."""

from pathlib import Path

import pytest

from relay.config import read_config
from relay.errors import CommandError

KEY = "the-function-key-itself"


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        ("https://app.example/", "https://app.example"),
        ("https://app.example/api/", "https://app.example"),
        ("https://app.example/api", "https://app.example"),
        ("http://localhost:7071", "http://localhost:7071"),
        ("http://[::1]:7071", "http://[::1]:7071"),
        ("http://app.example", None),
        ("http://127.0.0.1.example", None),
        ("ftp://app.example", None),
        ("app.example", None),
        (f"https://user:{KEY}@app.example", None),
        (f"https://app.example/?code={KEY}", None),
        ("https://app.example:port", None),
        ("http://[::1", None),
    ],
)
def test_only_addresses_that_keep_the_key_are_accepted(tmp_path: Path, given: str, accepted: str | None) -> None:
    """Accepted are https and loopback, without credentials or a key in the address."""
    if accepted is None:
        with pytest.raises(CommandError) as refused:
            read_config(given, KEY, {}, tmp_path, insecure=False)
        assert KEY not in refused.value.message
    else:
        config = read_config(given, KEY, {}, tmp_path, insecure=False)
        assert config.url == accepted
        assert KEY not in repr(config)


def test_insecure_allows_http(tmp_path: Path) -> None:
    """``--insecure`` is for networks that are trusted."""
    assert read_config("http://relay.example", None, {}, tmp_path, insecure=True).url == "http://relay.example"


@pytest.mark.parametrize("key", ["two\nlines", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_refused_unseen(tmp_path: Path, key: str) -> None:
    """The error does not show it."""
    with pytest.raises(CommandError) as refused:
        read_config(None, None, {"RELAY_KEY": key}, tmp_path, insecure=False)
    assert key not in refused.value.message
