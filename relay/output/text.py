"""Text for a terminal: safe characters, durations. Pure."""

_SECONDS_SHOWN, _MINUTES_SHOWN = 90, 90


def printable(text: str) -> str:
    """Return the text without characters that could control a terminal."""
    return "".join(
        character if character.isprintable() else " " if character in "\r\n\t" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def duration(seconds: float) -> str:
    """Return a rounded duration, such as ``40 min``."""
    if seconds < _SECONDS_SHOWN:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < _MINUTES_SHOWN else f"{minutes // 60} h {minutes % 60} min"
