"""What a run was told and made, by a name of one's own: inputs, outputs, and secrets that a cloud tells only once.

A file beside the profiles that only its owner may read. It may be lost: marks in the cloud say what was made, and a
secret that nobody knows any more is made anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from innkeeper.client import profiles
from innkeeper.protocol.refusals import UsageError


class Secret(msgspec.Struct, frozen=True):
    """A client's secret and what the cloud calls it; ``key`` is "" where the cloud tells the secret again."""

    text: str
    key: str = ""

    def __repr__(self) -> str:
        return f"<Secret {self.key}>"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """``cloud`` is cognito or entra; ``outputs`` are those of the Terraform module, empty until a run came to its end."""

    cloud: str
    inputs: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    secrets: dict[str, Secret] = {}


def path_of(name: str) -> Path:
    """Where the record of that name is kept."""
    profiles.checked(name)
    return profiles.folder().parent / "provisioned" / f"{name}.json"


def load(name: str, cloud: str) -> Record:
    """The record of that name, an empty one where there is none. Raises ``UsageError`` where it is another cloud's."""
    path = path_of(name)
    try:
        record = msgspec.json.decode(path.read_bytes(), type=Record)
    except FileNotFoundError:
        return Record(cloud=cloud)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read {path}: {error}. Remove it: what was made is found by its marks in the cloud."
        ) from None
    if record.cloud != cloud:
        raise UsageError(f"{name!r} is the name of something in {record.cloud}: choose another for {cloud}")
    return record


def keep(name: str, record: Record) -> Path:
    """Remember it. Raises ``UsageError`` where the file cannot be written."""
    path = path_of(name)
    profiles.write(path, record)
    return path


def forget(name: str) -> None:
    path_of(name).unlink(missing_ok=True)
