"""What the tests of the prober share: an authority whose certificates are made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prober.https_world import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(Path(tmp_path_factory.mktemp("authority")))
