"""Who sees what happens and tells of it: metrics, log, audit log, traces. Nothing that is decided depends on it."""

from __future__ import annotations
