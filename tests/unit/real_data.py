"""Where real data lies, beside the repository; tests of it are skipped where it is not."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def needs(name: str) -> pytest.MarkDecorator:
    """Skip where the folder `name` of the real data is absent."""
    return pytest.mark.skipif(not (FOLDER / name).exists(), reason=f"the data {name} is not beside the repository")
