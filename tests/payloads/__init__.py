"""One corpus of valid and invalid bodies, for every test that sends or decodes them."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A body; `message` is a part of the error that refuses it, empty for a valid one."""

    name: str
    body: bytes
    message: str = ""


def cases(name: str) -> list[Case]:
    """Return the cases of a corpus file; `base64` holds what is not UTF-8."""
    lines = (Path(__file__).parent / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()
    return [_case(**json.loads(line)) for line in lines]


def _case(name: str, body: str = "", message: str = "", **encoded: str) -> Case:
    return Case(name, base64.b64decode(encoded["base64"]) if encoded else body.encode(), message)
