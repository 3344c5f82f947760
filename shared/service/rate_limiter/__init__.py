"""The gate before every Graph write: the shared hold and outages first, then a slot of the shared quota."""

from shared.service.rate_limiter.admission import Admission, Deferred, RouteMissing
from shared.service.rate_limiter.limiter import RateLimiter

__all__ = ["Admission", "Deferred", "RateLimiter", "RouteMissing"]
