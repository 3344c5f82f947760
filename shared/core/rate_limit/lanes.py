"""How the two lanes share the quota: while normal updates wait anywhere, nine slots of ten are theirs.

The shared row says when normal updates last reserved slots, whichever the instance. For some seconds from then on the
bulk lane reserves only slots that open at once: normal updates reserve further ahead and so come first, and what they
leave is still used. After nine slots of normal updates one is the bulk lane's, however far ahead: it never starves.
While no normal updates come, the bulk lane reserves a second or two ahead, no more: a normal update soon finds a slot.
"""

from dataclasses import dataclass, replace

from shared.core.rate_limit.quota import MAX_CLOCK_SKEW

#: Normal slots for each slot that the bulk lane gets while normal updates use the quota.
NORMAL_SHARE = 9
#: How long the bulk lane reckons with more normal updates after the last ones.
CONTESTED_MILLISECONDS = 5_000
#: Slots that the bulk lane may save up while none of its turns asks.
_MAX_OWED = 3


@dataclass(frozen=True)
class Lanes:
    """``contested_until``: until when the bulk lane reckons with normal updates.

    ``normal``: how many slots normal updates reserved for which the bulk lane did not get its own yet.
    """

    contested_until: int = 0
    normal: int = 0

    @property
    def owed(self) -> bool:
        """Return whether the bulk lane may take a slot whoever waits."""
        return self.normal >= NORMAL_SHARE

    def contested(self, now: int) -> bool:
        """Return whether normal updates came lately, on any instance."""
        return self.contested_until > now


NEVER_CONTESTED = Lanes()


def after_normal(lanes: Lanes, *, now: int, reserved: int) -> Lanes:
    """Return the lanes after slots were reserved for normal updates."""
    if not reserved:
        return lanes
    normal = min(lanes.normal + reserved, _MAX_OWED * NORMAL_SHARE)
    return Lanes(max(lanes.contested_until, now + CONTESTED_MILLISECONDS), normal)


def after_bulk(lanes: Lanes, *, reserved: int) -> Lanes:
    """Return the lanes after slots were reserved for bulk updates."""
    return replace(lanes, normal=max(0, lanes.normal - reserved * NORMAL_SHARE))


def plausible(lanes: Lanes, *, now: int) -> Lanes:
    """Return the lanes without a time further ahead than it may be: a clock that was wrong wrote it."""
    latest = now + CONTESTED_MILLISECONDS + MAX_CLOCK_SKEW
    return replace(lanes, contested_until=0) if lanes.contested_until > latest else lanes
