"""What the tests of the prober share: an authority whose certificates are made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from prober import resolver
from tests.prober.https_world import Authority

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(Path(tmp_path_factory.mktemp("authority")))


@pytest.fixture(autouse=True)
def _forget_name_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    # A port may be used again by a name server of another kind.
    monkeypatch.setattr(resolver, "_validation_of", {})
