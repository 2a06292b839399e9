"""Numbers of several workers, added up by whichever is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from innkeeper.issuer.witness import metrics
from innkeeper.issuer.witness.metrics import Metrics, share
from innkeeper.protocol.refusals import UsageError


def worker(folder: Path, process: int, monkeypatch: pytest.MonkeyPatch) -> Metrics:
    monkeypatch.setattr(metrics.os, "getpid", lambda: process)
    return Metrics(folder)


def value(of: Metrics, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(of.text()[0].decode())
    (found,) = [one.value for family in families for one in family.samples if one.name == name and one.labels == labels]
    return float(found)


def test_any_worker_answers_for_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    share(tmp_path)
    one, two = worker(tmp_path, 1, monkeypatch), worker(tmp_path, 2, monkeypatch)
    for seconds in (0.0004, 0.003, 9.0):
        one.tally.answered("/token", "POST", 200, seconds)
    two.tally.answered("/token", "POST", 200, 0.003)
    two.tally.decided("token", "refresh_token", "IK241")
    two.save()
    assert value(one, "innkeeper_requests_total", endpoint="/token", method="POST", status="200") == 4
    assert value(one, "innkeeper_request_seconds_bucket", endpoint="/token", le="0.0005") == 1
    assert value(one, "innkeeper_request_seconds_bucket", endpoint="/token", le="0.005") == 3
    assert value(one, "innkeeper_request_seconds_bucket", endpoint="/token", le="+Inf") == 4
    labels = {"about": "token", "grant": "refresh_token", "outcome": "refused", "refusal": "IK241"}
    assert value(one, "innkeeper_decisions_total", **labels) == 1


def test_counts_never_go_back_when_a_worker_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    share(tmp_path)
    gone = worker(tmp_path, 1, monkeypatch)
    gone.tally.answered("/token", "POST", 200, 0.001)
    gone.save()
    after = worker(tmp_path, 2, monkeypatch)
    after.tally.answered("/token", "POST", 200, 0.001)
    assert value(after, "innkeeper_requests_total", endpoint="/token", method="POST", status="200") == 2
    share(tmp_path)
    assert value(after, "innkeeper_requests_total", endpoint="/token", method="POST", status="200") == 1


def test_a_bound_belongs_to_its_bucket(tmp_path: Path) -> None:
    alone = Metrics()
    alone.tally.answered("/token", "POST", 200, 0.005)
    assert value(alone, "innkeeper_request_seconds_bucket", endpoint="/token", le="0.005") == 1
    assert value(alone, "innkeeper_request_seconds_bucket", endpoint="/token", le="0.0025") == 0
    assert value(alone, "innkeeper_request_seconds_sum", endpoint="/token") == 0.005


def test_a_file_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    share(tmp_path)
    (tmp_path / "9.json").write_text("{")
    assert b"innkeeper_requests" in Metrics(tmp_path).text()[0]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "metrics").write_text("no folder")
    with pytest.raises(UsageError, match="numbers cannot be kept"):
        share(tmp_path / "metrics")
