import io

import pytest
import tablib

from accounts.models import AuditEntry, Membership, Team, User
from accounts.roles import Role
from domains.models import Domain, ImportOutcome, Tag
from domains.services import import_domains as import_module
from domains.services.import_domains import (
    UnreadableTable,
    import_domains,
    import_in_batches,
    read_lines,
    read_table,
)
from tests.factories import TeamFactory

pytestmark = pytest.mark.django_db


def outcomes(results):
    return [(result.domain, result.outcome.value) for result in results]


def test_pasted_lines_become_domains():
    rows = read_lines("One.Example.\n\n# a comment\nbücher.example, two.example\n")

    results = import_domains(rows, None)

    assert outcomes(results) == [
        ("one.example", "created"),
        ("xn--bcher-kva.example", "created"),
        ("two.example", "created"),
    ]


def test_a_bad_line_stops_no_good_one():
    rows = read_lines("good.example\nnot a domain!\npostmaster@mail.example\nhttps://web.example/")

    results = import_domains(rows, None)

    assert {domain.name for domain in Domain.objects.all()} >= {"good.example"}
    rejected = [result for result in results if result.outcome is ImportOutcome.REJECTED]
    assert rejected
    assert all(result.reason for result in rejected)


def test_a_table_brings_team_owner_and_tags():
    data = b"Domain;Team;Owner;Tags\r\na.example;Mail;ops@a.example;prod|eu\r\n"

    results = import_domains(read_table("list.csv", data), None)

    domain = Domain.objects.get()
    assert outcomes(results) == [("a.example", "created")]
    assert (domain.team.name, domain.owner) == ("Mail", "ops@a.example")
    assert {tag.name for tag in domain.tags.all()} == {"prod", "eu"}


def test_a_workbook_is_read_by_its_content():
    workbook = tablib.Dataset(["a.example", "x"], headers=["domain", "tags"]).export("xlsx")

    rows = read_table("misnamed.csv", workbook)

    assert [(row.domain, row.tags) for row in rows] == [("a.example", ("x",))]


def test_a_second_import_updates_what_it_names_and_nothing_else():
    import_domains(read_table("a.csv", b"domain,owner,tags\na.example,x@a.example,one\n"), None)

    results = import_domains(read_table("b.csv", b"domain,tags\na.example,two\n"), None)
    again = import_domains(read_table("b.csv", b"domain,tags\na.example,two\n"), None)

    domain = Domain.objects.get()
    assert outcomes(results) == [("a.example", "updated")]
    assert outcomes(again) == [("a.example", "exists")]
    assert domain.owner == "x@a.example"
    assert {tag.name for tag in domain.tags.all()} == {"one", "two"}


def test_a_dry_run_leaves_nothing_behind():
    data = b"domain,team,tags\na.example,New team,new-tag\n"

    results = import_domains(read_table("a.csv", data), None, dry_run=True)

    assert outcomes(results) == [("a.example", "created")]
    assert not Domain.objects.exists()
    assert not Team.objects.exists()
    assert not Tag.objects.exists()
    assert not AuditEntry.objects.exists()


def test_the_same_domain_twice_is_taken_once():
    results = import_domains(read_lines("b.example\na.example\n\nA.EXAMPLE\n"), None)

    assert outcomes(results)[1:] == [("a.example", "created"), ("a.example", "rejected")]
    assert results[-1].reason == "The same domain stands on line 2 already."


def test_a_line_says_that_it_makes_a_team():
    Domain.objects.create(name="old.example")
    TeamFactory(name="Mail")
    data = b"domain,team\na.example,Mial\nb.example,Mail\nold.example,Mial\n"

    results = import_domains(read_table("d.csv", data), None, dry_run=True)

    assert [result.changes for result in results] == [
        "new team: Mial",
        "",
        "team: nothing → Mial; new team: Mial",
    ]


def test_a_manager_imports_for_their_own_team_only():
    mine, other = Team.objects.create(name="Mine"), Team.objects.create(name="Other")
    user = User.objects.create_user("manager@corp.example")
    Membership.objects.create(user=user, team=mine, role=Role.MANAGER)
    Domain.objects.create(name="taken.example", team=other)
    data = (
        b"domain,team\na.example,Mine\nb.example,Other\nc.example,\nd.example,Nowhere\n"
        b"taken.example,Mine\n"
    )

    results = import_domains(read_table("a.csv", data), user)

    assert [result.outcome.value for result in results] == ["created"] + ["rejected"] * 4
    assert Domain.objects.get(name="taken.example").team == other


def test_a_file_without_domains_says_which_columns_it_has():
    workbook = tablib.Dataset(["a.example"], headers=["host"]).export("xlsx")

    with pytest.raises(UnreadableTable, match="the columns are host"):
        read_table("zones.xlsx", workbook)


def test_a_broken_workbook_is_said_to_be_broken():
    with pytest.raises(UnreadableTable, match="XLSX"):
        read_table("broken.xlsx", b"PK\x03\x04" + bytes(50))


def test_the_queries_do_not_grow_with_the_rows(django_assert_max_num_queries):
    rows = read_lines("\n".join(f"d{n}.example" for n in range(400)))

    with django_assert_max_num_queries(12):
        import_domains(rows, None)


def test_what_breaks_off_has_taken_whole_batches_and_is_sent_again(monkeypatch):
    monkeypatch.setattr(import_module, "BATCH", 2)
    rows = read_lines("a.example\nb.example\nc.example\na.example\nd.example")
    batches = import_in_batches(rows, None)

    next(batches)
    batches.close()
    assert Domain.objects.count() == 2
    again = import_domains(rows, None)

    assert outcomes(again) == [
        ("a.example", "exists"),
        ("b.example", "exists"),
        ("c.example", "created"),
        ("a.example", "rejected"),
        ("d.example", "created"),
    ]
    entries = AuditEntry.objects.filter(verb="imported domains").order_by("pk")
    assert [entry.after for entry in entries] == [
        {"created": 2},
        {"exists": 2},
        {"created": 1, "rejected": 1},
        {"created": 1},
    ]


def test_a_dry_run_of_many_batches_makes_a_new_team_in_none(monkeypatch):
    monkeypatch.setattr(import_module, "BATCH", 1)
    data = b"domain,team\na.example,New team\nb.example,New team\n"

    results = import_domains(read_table("a.csv", data), None, dry_run=True)

    assert outcomes(results) == [("a.example", "created"), ("b.example", "created")]
    assert not Team.objects.exists()


def test_an_import_is_written_into_the_audit_log():
    import_domains(read_lines("a.example\nb.example"), None)

    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.after) == ("imported domains", {"created": 2})


def test_the_command_reads_standard_input(monkeypatch, capsys):
    from django.core.management import call_command

    class Piped:
        buffer = io.BytesIO(b"a.example\n")

    monkeypatch.setattr("sys.stdin", Piped)

    call_command("importdomains", "-", "--team", "Mail", "--json")

    assert capsys.readouterr().out.strip() == (
        '{"line": 1, "domain": "a.example", "status": "created", "reason": null}'
    )
    assert Domain.objects.get().team.name == "Mail"


ROWS = [(3, "a.example", "o@a.example"), (5, "b.example", "")]


@pytest.mark.parametrize(
    "text",
    [
        '"domain","owner"\n\n"a.example","o@a.example"\n\n"b.example",""\n',
        "\ufeff# ours\nDomain name;Owner\na.example;o@a.example\n;\nb.example;\n",
        "\nDOMAINS\towner\tnotes\na.example\to@a.example\t\n\nb.example\n",
        "sep=;\r\nowner;domain\r\no@a.example;a.example\r\n\r\n;b.example\r\n",
        'owner,domain,notes\n"","",""\no@a.example,a.example,"two\nlines"\n,b.example,,,\n',
    ],
    ids=["quotes", "semicolons", "tabs", "excel", "line end in a cell"],
)
def test_tables_are_read_as_programs_write_them(text):
    for rows in (
        read_lines(text),
        read_table("a.csv", text.encode()),
        read_table("a.txt", text.removeprefix("\ufeff").encode("utf-16")),
    ):
        assert [(row.line, row.domain, row.owner) for row in rows] == ROWS


def test_a_line_with_more_cells_than_the_header_is_refused_alone():
    data = b"domain,owner\na.example,o@a.example,more\nb.example,o@a.example\n"

    results = import_domains(read_table("a.csv", data), None)

    assert outcomes(results) == [
        ("a.example,o@a.example,more", "rejected"),
        ("b.example", "created"),
    ]


def test_a_list_may_be_in_quotes_and_apart_by_semicolons():
    rows = read_lines('"a.example"; "b.example"\n')

    assert [row.domain for row in rows] == ["a.example", "b.example"]


def test_a_workbook_may_begin_with_blank_rows():
    workbook = tablib.Dataset(["", ""], ["team", "domain"], ["", "a.example"], headers=["", ""])

    rows = read_table("a.xlsx", workbook.export("xlsx"))

    assert [(row.line, row.domain) for row in rows] == [(4, "a.example")]


def test_an_empty_team_changes_nothing_and_asks_for_no_role():
    mine = Team.objects.create(name="Mine")
    user = User.objects.create_user("manager@corp.example")
    Membership.objects.create(user=user, team=mine, role=Role.MANAGER)
    Domain.objects.create(name="a.example", team=mine)

    results = import_domains(read_table("a.csv", b"domain,team\na.example,\n"), user)

    assert outcomes(results) == [("a.example", "exists")]


def test_a_web_address_is_refused_with_what_to_give_instead():
    [result] = import_domains(read_lines("https://a.example/"), None)

    assert result.reason.endswith("Give the domain alone, without https:// and path.")


@pytest.mark.parametrize(
    "header",
    [
        "Domain name;Owner e-mail;Team name;Labels",
        "FQDN;Responsible;Department;Tag",
        "zone;contact_email;business unit;tags",
        "Domäne;Verantwortliche;Abteilung;Schlagwörter",
    ],
)
def test_columns_are_known_by_what_people_call_them(header):
    sent = read_table("a.csv", f"{header}\na.example;o@a.example;Mail;web\n".encode())

    [row] = sent
    assert (row.domain, row.owner, row.team, row.tags) == (
        "a.example",
        "o@a.example",
        "Mail",
        ("web",),
    )
    assert not [note for note in sent.notes if "not read" in note]


@pytest.mark.parametrize(
    ("header", "cells", "notes"),
    [
        (
            "Domain;Department;Region;Cost centre",
            "a.example;Mail;EU;7",
            [
                "The column Department is read as team.",
                "Columns not read: Region and Cost centre.",
            ],
        ),
        (
            "Domain;Contact;Responsible",
            "a.example;x@a.example;y@a.example",
            [
                "Contact and Responsible could each be the owner: name one of them owner.",
                "Columns not read: Contact and Responsible.",
            ],
        ),
        ("domain;name;owner", "a.example;Shop;x@a.example", ["Column not read: name."]),
        (
            "Domain;Responsible;",
            "a.example;Ada Lovelace;yes",
            [
                (
                    "Columns not read: column 3, which has no name and "
                    "Responsible, which holds no e-mail addresses."
                )
            ],
        ),
    ],
    ids=["unknown", "ambiguous", "our own name goes first", "names of people"],
)
def test_what_is_not_read_is_said(header, cells, notes):
    sent = read_table("a.csv", f"{header}\n{cells}\n".encode())

    assert [row.domain for row in sent] == ["a.example"]
    assert list(sent.notes) == notes


def test_of_two_columns_of_domains_none_is_guessed():
    with pytest.raises(UnreadableTable, match="Name and Zone could each be the domain"):
        read_table("a.csv", b"Name;Zone;Team\nShop;a.example;Mail\n")


def test_a_workbook_says_which_sheet_is_read():
    cover = tablib.Dataset(["Our domains"], headers=["Welcome"], title="Cover")
    first = tablib.Dataset(["a.example"], headers=["domain"], title="2026")
    second = tablib.Dataset(["b.example"], headers=["domain"], title="2025")
    book = tablib.Databook([cover, first, second]).export("xlsx")

    sent = read_table("a.xlsx", book)

    assert [row.domain for row in sent] == ["a.example"]
    assert sent.notes == ("Only the sheet “2026” is read, not “Cover” and “2025”.",)


def test_an_image_is_no_list_of_domains():
    image = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20

    with pytest.raises(UnreadableTable, match="no text"):
        read_table("domains.png", image)
