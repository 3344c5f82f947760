"""What all instances share about their writes: the quota, outages, and whether Graph has a route for the write.

Every function is pure: it takes the shared row's state and returns a new one. All times are whole milliseconds since
1970 in UTC.
"""

from shared.core.rate_limit.quota import Quota, Slot
from shared.core.rate_limit.state import RateLimitState

__all__ = ["Quota", "RateLimitState", "Slot"]
