import socket

import pytest
from django.core.management.base import CommandError

from tlsrpt_portal.management.commands.up import commands, only_one, require_free


def test_a_second_portal_on_the_same_folder_is_refused(tmp_path):
    lock = tmp_path / "up.lock"

    with only_one(lock), pytest.raises(CommandError, match="already runs"), only_one(lock):
        pass

    assert not lock.exists()


def test_the_lock_of_a_killed_portal_is_in_nobodys_way(tmp_path):
    lock = tmp_path / "up.lock"
    lock.write_text("99999999")

    with only_one(lock):
        held = lock.read_text()

    assert held != "99999999"


def test_the_mail_receiver_is_started_where_it_is_wanted(settings):
    settings.MAIL_LISTEN = ""
    without = commands("127.0.0.1", 8000)
    settings.MAIL_LISTEN = "127.0.0.1:2525"
    with_mail = commands("127.0.0.1", 8000)

    assert set(without) == {"web", "worker"}
    assert set(with_mail) == {"web", "worker", "mail"}


def test_a_port_that_another_server_shares_is_refused():
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(CommandError, match=f"port {port} .*make run PORT={port + 1}"):
            require_free("127.0.0.1", port)
    require_free("127.0.0.1", port)
    with pytest.raises(CommandError, match="cannot listen"):
        require_free("127.0.0.1", 70_000)
