"""The form of a GUID, stated once."""

import re
from typing import Final

#: A GUID in either case, without braces; a part of larger patterns too.
GUID: Final = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_GUID = re.compile(GUID)


def is_guid(text: str) -> bool:
    """Return whether the whole text is a GUID."""
    return _GUID.fullmatch(text) is not None
