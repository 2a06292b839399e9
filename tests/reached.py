"""No refusal is there for show: each of the issuer's is what some test comes to. Counted over all processes of a whole run."""

from __future__ import annotations

from typing import Any

import pytest

from docs.generate.refusals import numbered
from innkeeper.tokens import trail
from innkeeper.tokens.trail import Trail


class Reached:
    """A plugin: notes the numbers that decisions came to, names what a whole run missed, and fails one that else passed."""

    def __init__(self, config: pytest.Config) -> None:
        self.numbers: set[str] = set()
        self.missed: dict[str, str] = {}
        named = config.args_source is not pytest.Config.ArgsSource.TESTPATHS
        chosen = config.option.keyword or config.option.markexpr != config.getini("addopts")[-1]
        self.whole = not (named or chosen or config.option.collectonly)
        self.inner: dict[str, Any] | None = getattr(config, "workeroutput", None)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.numbers.update(getattr(node, "workeroutput", {}).get("reached", ()))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.inner is not None:
            self.inner["reached"] = sorted(self.numbers)
        elif self.whole and not session.shouldfail and not session.shouldstop:
            self.missed = {number: place for number, place in _ours().items() if number not in self.numbers}
            if self.missed and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for number, place in self.missed.items():
            terminalreporter.write_line(f"FAILED: no test comes to {number} ({place})", red=True)


def pytest_configure(config: pytest.Config) -> None:
    plugin = Reached(config)
    config.pluginmanager.register(plugin, "reached")

    class Noted(Trail, frozen=True, gc=False):
        def __post_init__(self) -> None:
            if refusal := self.refusal:
                plugin.numbers.add(refusal.page.number)

    trail.Trail = Noted  # type: ignore[misc]


def _ours() -> dict[str, str]:
    return {
        one.page.number: f"{one.room}: {one.constant}"
        for one in numbered()
        if one.room.startswith("issuer/") and not one.page.level
    }
