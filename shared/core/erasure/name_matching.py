"""A person's name: as a whole value, and in text, in any case and in what is escaped or encoded there.

It is never found inside another's name: ``smith@contoso.com`` is not in ``john.smith@contoso.com``, nor in
``o'smith@contoso.com``, ``smith@contoso.com.au`` or ``smith@contoso.com-x``. Erasing is for good, so a neighbour must
not be taken for the person.
"""

import base64
import re
import unicodedata
from codecs import getincrementaldecoder
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

#: Base64 in an event in base64 on the queue, with JSON escapes inside: as deep as senders go.
_MAX_DEPTH = 3
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([nrtbf\"\\/]))")
#: What Entra allows in a principal name belongs to it: letters and digits of any script, and these.
_JOINING = r"\w'.\-!#^~+@/"
_NOT_AFTER = rf"(?<![{_JOINING}])"
#: A full stop after a name ends the sentence unless a further label of its domain follows.
_NOT_BEFORE = rf"(?![{_JOINING.replace('.', '', 1)}]|\.+[{_JOINING}])"
_SHORT = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def is_name(name: str, text: str) -> bool:
    """Return whether the whole text is their name."""
    return folded(name) == folded(text)


def mentions(name: str, text: str) -> bool:
    """Return whether the text names them, as it is."""
    return _pattern(folded(name)).search(folded(text)) is not None


def mentions_anywhere(name: str, text: str) -> bool:
    """Return whether free text names them, also where the name is escaped (JSON, URL) or encoded (base64, UTF-16)."""
    return any(mentions(name, reading) for reading in _readings(text, _MAX_DEPTH))


def folded(text: str) -> str:
    """Return a text that is equal for names that are the same to a directory."""
    return unicodedata.normalize("NFC", text).casefold()


@lru_cache(maxsize=8)
def _pattern(name: str) -> re.Pattern[str]:
    # Apostrophes on both sides are quotes; one alone belongs to a name, as in o'brien.
    quoted = f"{_NOT_AFTER}'{re.escape(name)}'{_NOT_BEFORE}"
    return re.compile(f"{_NOT_AFTER}{re.escape(name)}{_NOT_BEFORE}|{quoted}")


def _readings(text: str, deeper: int) -> Iterator[str]:
    yield text
    if deeper == 0:
        return
    for reading in {_unescaped(text), unquote(text)} - {text}:
        yield from _readings(reading, deeper - 1)
    for run in _BASE64.findall(text):
        for reading in _decoded(run):
            yield from _readings(reading, deeper - 1)


def _unescaped(text: str) -> str:
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _SHORT.get(found[2], found[2]), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _decoded(run: str) -> Iterator[str]:
    digits = run.rstrip("=")
    whole = digits[: len(digits) - (len(digits) % 4 == 1)]
    content = base64.b64decode(whole + "=" * (-len(whole) % 4), altchars=b"-_" if {"-", "_"} & set(whole) else None)
    for encoding in ("utf-8", "utf-16-le", "utf-16-be") if b"\0" in content else ("utf-8",):
        text = _text(content, encoding)
        if text is not None:
            yield text


def _text(content: bytes, encoding: str) -> str | None:
    """Return the text; None for bytes that are none: a long word is base64 by chance, and names letters by chance."""
    try:
        text = getincrementaldecoder(encoding)().decode(content)  # a character cut off at the end does no harm
    except UnicodeDecodeError:
        return None
    return (
        None if any(unicodedata.category(character) == "Cc" and not character.isspace() for character in text) else text
    )
