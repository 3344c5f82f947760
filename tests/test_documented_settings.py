"""``docs/configuration.md`` has every setting, with its default."""

import re
from pathlib import Path

from shared.settings import Settings

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "configuration.md").read_text()
STORAGE = {"UPDATES_STORAGE": "UseDevelopmentStorage=true"}


def documented_defaults() -> dict[str, str]:
    """Return the defaults by setting; those that are words and not values are left out."""
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \| (`[^|]+`) \|", PAGE, re.MULTILINE)
    return {
        name: default
        for names, defaults in rows
        for name, default in zip(re.findall(r"`(\w+)`", names), re.findall(r"`([^`]+)`", defaults), strict=True)
    }


def test_every_setting_is_documented() -> None:
    """Those who deploy find it there."""
    text = (ROOT / "shared" / "settings" / "__init__.py").read_text()
    names = set(
        re.findall(
            r'"((?:UPDATES|GRAPH|AZURE|DELIVERY|RETRY|OUTCOME|WEBHOOK|PUBLIC|AUDIT|APPLI|PYTHON|WEBSITE)[A-Z]*_[A-Z_]+)"',
            text,
        )
    )
    assert len(names) >= 15
    assert [name for name in sorted(names | {"AUTHENTICATION"}) if f"`{name}`" not in PAGE] == []


def test_the_documented_defaults_are_the_apps_own() -> None:
    """To set each of them changes nothing; an empty environment has the same settings."""
    documented = documented_defaults()
    assert len(documented) >= 11
    assert Settings.from_environ(STORAGE | documented) == Settings.from_environ(STORAGE)
