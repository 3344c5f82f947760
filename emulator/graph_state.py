"""What the emulated Graph remembers: user statuses, every request, the faults to come, and the quota."""

from typing import Any

from aiohttp import web

from emulator.graph_faults import Fault


class GraphState:
    """User statuses, every request, faults to come, and the quota."""

    def __init__(self) -> None:
        self.statuses: dict[tuple[str, str], dict[str, Any]] = {}
        self.requests: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.config: dict[str, Any] = {
            "quota": "100/20", "retryAfter": True, "latencyMilliseconds": 0, "strictIds": False,
            "pageSize": 100,
        }  # fmt: skip
        self.writes: list[float] = []
        self.in_flight: dict[tuple[str, str], int] = {}

    def over_quota(self, now: float) -> float | None:
        """Seconds until the next write fits, None when this one does; refused ones count too (F8)."""
        if not self.config["quota"]:
            return None
        count, seconds = (float(part) for part in self.config["quota"].split("/"))
        self.writes = [at for at in self.writes if at > now - seconds]
        self.writes.append(now)
        over = len(self.writes) - int(count)
        return None if over <= 0 else self.writes[over - 1] + seconds - now

    def take_fault(self, request: web.Request) -> Fault | None:
        """The first fault that is meant for this request."""
        for fault in self.faults:
            wanted = fault.get("match") or {}
            here = {
                "method": request.method, "policyId": request.match_info.get("policy"),
                "userStatusId": request.match_info.get("user_status"),
            }  # fmt: skip
            if fault.get("count") != 0 and all(here.get(name) == value for name, value in wanted.items()):
                if fault.get("count") is not None:
                    fault["count"] -= 1
                return fault
        return None

    def summary(self) -> dict[str, Any]:
        """What matters of all requests: counts, the fullest 20 seconds, overlapping writes."""
        writes = [one for one in self.requests if one["method"] == "PATCH"]
        times = sorted(one["start"] for one in writes)
        worst, first = 0, 0
        for last, at in enumerate(times):
            while times[first] <= at - 20:
                first += 1
            worst = max(worst, last - first + 1)
        by_status: dict[str, int] = {}
        for one in writes:
            by_status[str(one["status"])] = by_status.get(str(one["status"]), 0) + 1
        return {
            "writes": len(writes), "byStatus": by_status, "worstWindow": worst,
            "overlaps": sum(one["overlap"] for one in writes), "first": times[:1], "last": times[-1:],
        }  # fmt: skip
