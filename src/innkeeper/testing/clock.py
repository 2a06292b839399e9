"""A clock that runs with the real one and can be moved: whoever verifies by the real time sees the difference."""

from __future__ import annotations

import time


class Clock:
    """Call it for the time, in seconds since 1970. ``move`` shifts it, ``stop`` holds it, ``reset`` sets it right."""

    def __init__(self) -> None:
        self._shift = 0.0
        self._held: float | None = None

    def __call__(self) -> float:
        return self._held if self._held is not None else time.time() + self._shift

    def whole(self) -> int:
        """The time in whole seconds."""
        return int(self())

    def move(self, seconds: float) -> None:
        """Ahead by ``seconds``, or back where negative."""
        if self._held is not None:
            self._held += seconds
        else:
            self._shift += seconds

    def stop(self, at: float | None = None) -> None:
        """Stand still, at a time of your choice or now."""
        self._held = self() if at is None else at

    def reset(self) -> None:
        """Run with the real time again."""
        self._shift, self._held = 0.0, None
