"""Files and folders as a stream of arrivals."""

from __future__ import annotations

from reports.sources import find_items


def names(tmp_path, *paths) -> list[str]:
    items = find_items(paths or [tmp_path], max_bytes=1000)
    return [str(item.name).removeprefix(f"{tmp_path}/") for item in items]


def test_folders_are_walked_in_order(tmp_path):
    for name in ("b.json", "a.json", "sub/c.json", ".hidden"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"{}")

    assert names(tmp_path) == ["a.json", "b.json", "sub/c.json"]


def test_a_maildir_is_read_without_what_is_still_being_written(tmp_path):
    for folder in ("cur", "new", "tmp", ".old/cur", ".old/new", ".old/tmp"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "1.host:2,S").write_bytes(b"From: a@b.example\n\nx\n")
    (tmp_path / "dovecot-uidlist").write_bytes(b"3")

    assert names(tmp_path) == [
        ".old/cur/1.host:2,S",
        ".old/new/1.host:2,S",
        "cur/1.host:2,S",
        "new/1.host:2,S",
    ]


def test_an_mbox_is_split_into_its_mails(tmp_path):
    mbox = tmp_path / "box"
    one = b"From: a@b.example\n\nFrom here on nothing.\n\n"
    two = b"From: c@d.example\r\n\r\n" + b"x" * 5000 + b"\r\n"
    separator = b"From a@b.example Wed Mar 11 03:04:05 2026\n"
    mbox.write_bytes(separator + one + separator + two)

    first, second = find_items([mbox], max_bytes=10_000)

    assert (first.content, second.content) == (one, two)
    assert first.name == f"{mbox}:1"


def test_a_mail_over_the_limit_is_cut_and_costs_no_memory(tmp_path):
    mbox = tmp_path / "box"
    mbox.write_bytes(b"From a Wed Mar 11 03:04:05 2026\n" + b"x" * 99 + b"\n" + b"y\n" * 5000)

    [item] = find_items([mbox], max_bytes=1000)

    assert 1000 < len(item.content) < 1200


def test_a_link_to_a_folder_is_not_followed(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)

    assert names(tmp_path) == []
