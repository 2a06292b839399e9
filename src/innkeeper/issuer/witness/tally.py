"""What every request adds to: plain numbers, put into words for whoever asks."""

from __future__ import annotations

from bisect import bisect_left

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of durations, in seconds; a last one has no end."""

Asked = tuple[str, str, int]
Made = tuple[str, str, str]


class Tally:
    """``requests`` by endpoint, method and status; ``decisions`` by what they were about, grant and refusal; ``times`` by endpoint, one
    number for each bucket; ``seconds`` by endpoint, all in all."""

    def __init__(self) -> None:
        self.requests: dict[Asked, int] = {}
        self.decisions: dict[Made, int] = {}
        self.times: dict[str, list[int]] = {}
        self.seconds: dict[str, float] = {}

    def answered(self, endpoint: str, method: str, status: int, seconds: float) -> None:
        """Count a request and the time that it took. ``endpoint`` is one of a fixed set of names, never what was sent."""
        asked = (endpoint, method, status)
        self.requests[asked] = self.requests.get(asked, 0) + 1
        times = self.times.get(endpoint)
        if times is None:
            times = self.times[endpoint] = [0] * (len(BUCKETS) + 1)
            self.seconds[endpoint] = 0.0
        times[bisect_left(BUCKETS, seconds)] += 1
        self.seconds[endpoint] += seconds

    def decided(self, about: str, grant: str, refusal: str) -> None:
        """Count a decision."""
        made = (about, grant, refusal)
        self.decisions[made] = self.decisions.get(made, 0) + 1

    @property
    def total(self) -> int:
        return sum(self.requests.values()) + sum(self.decisions.values())
