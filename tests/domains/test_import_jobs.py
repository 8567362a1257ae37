import io
import zipfile
from datetime import timedelta

import pytest
import tablib
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Membership
from accounts.roles import Role
from domains import forms
from domains.models import Domain, ImportJob, ImportLine, ImportPhase
from domains.services import import_jobs
from domains.services.import_domains import Importer, read_lines, read_table
from domains.services.import_jobs import (
    CLAIM_ENDS_AFTER,
    KEEP_DONE,
    KEEP_TRIED,
    confirm_import,
    discard_import,
    forget_old_imports,
    start_import,
    work_on_imports,
)
from tests.factories import TeamFactory, UserFactory, make_domain, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return TeamFactory(name="Retail")


@pytest.fixture
def manager(client, team):
    user = make_member(team, Role.MANAGER, name="Mara")
    client.force_login(user)
    return user


@pytest.fixture
def in_background(monkeypatch):
    """Nothing is small, and a batch has two lines."""
    monkeypatch.setattr(import_jobs, "SMALL", 0)
    monkeypatch.setattr(import_jobs, "BATCH", 2)


def names(count):
    return "\n".join(f"d{at}.example" for at in range(count))


def start(user, team, text):
    return start_import(read_lines(text), user, "pasted lines", team)


def fates(job):
    return [(line.domain, line.outcome) for line in job.lines.all()]


def test_trying_says_what_would_happen_and_stores_no_domain(team, manager):
    make_domain("there.example", team)
    text = "new.example\nthere.example\nno_domain!\nNEW.example.\n"

    job = start(manager, team, text)

    assert job.phase == ImportPhase.TRIED
    assert fates(job) == [
        ("new.example", "created"),
        ("there.example", "exists"),
        ("no_domain!", "rejected"),
        ("NEW.example.", "rejected"),
    ]
    assert job.counts == {"created": 1, "updated": 0, "exists": 1, "rejected": 2}
    assert Domain.objects.count() == 1
    assert not AuditEntry.objects.filter(verb="imported domains").exists()


def test_confirming_takes_owner_team_and_tags(manager, team):
    body = b"domain;team;owner;tags\nshop.example;Retail;shop@corp.example;web,parked\n"
    job = start_import(read_table("list.csv", body), manager, "list.csv", None)

    assert confirm_import(job) is True

    domain = Domain.objects.get()
    assert (job.phase, domain.owner, domain.team) == (ImportPhase.DONE, "shop@corp.example", team)
    assert {tag.name for tag in domain.tags.all()} == {"web", "parked"}
    entry = AuditEntry.objects.get(verb="imported domains")
    assert (entry.actor, entry.after["created"]) == (manager, 1)
    assert entry.actor_name == manager.email
    assert confirm_import(job) is False


def test_a_large_import_is_done_in_batches_by_workers(manager, team, in_background):
    job = start(manager, team, names(5))
    assert (job.phase, job.position) == (ImportPhase.TRYING, 0)

    work_on_imports(budget_s=0)
    job.refresh_from_db()
    assert (job.phase, job.position) == (ImportPhase.TRYING, 2)
    work_on_imports()
    confirm_import(job)
    assert not Domain.objects.exists()
    work_on_imports()

    job.refresh_from_db()
    assert (job.phase, job.created, job.claimed_at) == (ImportPhase.DONE, 5, None)
    assert Domain.objects.count() == 5
    assert AuditEntry.objects.filter(verb="imported domains").count() == 1


def test_the_same_domain_in_a_later_batch_is_refused(manager, team, in_background):
    job = start(manager, team, "a.example\nb.example\nA.example\nc.example\nb.example")
    work_on_imports()
    confirm_import(job)
    work_on_imports()

    assert [outcome for _, outcome in fates(job)] == [
        "created",
        "created",
        "rejected",
        "created",
        "rejected",
    ]


def test_a_batch_that_breaks_off_leaves_nothing_and_is_done_again(
    manager, team, in_background, monkeypatch
):
    job = start(manager, team, names(5))
    work_on_imports()
    confirm_import(job)
    work_on_imports(budget_s=0)
    take = Importer.take

    def break_off(self, batch, seen):
        take(self, batch, seen)
        raise DatabaseError("the server closed the connection")

    monkeypatch.setattr(Importer, "take", break_off)
    work_on_imports()

    job.refresh_from_db()
    assert (job.position, job.created, Domain.objects.count()) == (2, 2, 2)
    assert "closed the connection" in job.problem

    monkeypatch.setattr(Importer, "take", take)
    work_on_imports()
    job.refresh_from_db()
    assert (job.phase, job.created, job.problem) == (ImportPhase.DONE, 5, "")
    assert Domain.objects.count() == 5


def test_the_claim_of_a_killed_worker_ends(manager, team, in_background):
    job = start(manager, team, names(3))
    claim = ImportJob.objects.filter(pk=job.pk)

    claim.update(claimed_at=timezone.now())
    assert work_on_imports() == 0
    claim.update(claimed_at=timezone.now() - CLAIM_ENDS_AFTER - timedelta(seconds=1))

    assert work_on_imports() == 2


def test_who_lost_the_role_meanwhile_imports_nothing(manager, team, in_background):
    job = start(manager, team, names(3))
    work_on_imports()
    confirm_import(job)
    Membership.objects.all().delete()

    work_on_imports()

    job.refresh_from_db()
    assert (job.phase, job.rejected, job.changed) == (ImportPhase.TRIED, 3, 3)
    assert not Domain.objects.exists()


def test_who_is_gone_imports_nothing(team, in_background):
    root = UserFactory(is_superuser=True)
    job = start(root, team, names(3))
    work_on_imports()
    confirm_import(job)
    root.delete()

    work_on_imports()

    assert not Domain.objects.exists()
    assert ImportLine.objects.filter(outcome="rejected").count() == 3


def test_trying_a_line_with_a_new_team_makes_no_team(team):
    root = UserFactory(is_superuser=True)
    rows = read_table("list.csv", b"domain,team\na.example,Brand new\n")

    job = start_import(rows, root, "list.csv", None)
    assert not type(team).objects.filter(name="Brand new").exists()

    confirm_import(job)
    assert Domain.objects.get().team.name == "Brand new"


def test_what_no_database_stores_is_refused_in_words(manager, team):
    long_owner = f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.example"
    body = f"domain,owner\na\x00b.example,\nb.example,{long_owner}\nc.example,\n"

    job = start_import(read_table("list.csv", body.encode()), manager, "list.csv", team)

    assert [outcome for _, outcome in fates(job)] == ["rejected", "rejected", "created"]


def owned(name, owner):
    return read_table("list.csv", f"domain,owner\n{name},{owner}\n".encode())


def test_what_became_another_line_meanwhile_is_shown_again_and_not_taken(manager, team):
    other = TeamFactory(name="Labs")
    rows = read_table("a.csv", b"domain,owner\nnew.example,\nsame.example,a@corp.example\n")
    job = start_import(rows, manager, "a.csv", team)
    make_domain("same.example", other, owner="b@corp.example")

    assert confirm_import(job) is True

    assert (job.phase, job.preview, job.changed, job.confirmed_at) == (
        ImportPhase.TRIED,
        2,
        1,
        None,
    )
    assert [(line.outcome, line.shown) for line in job.lines.all()] == [
        ("created", ""),
        ("rejected", "created"),
    ]
    assert job.counts == {"created": 1, "updated": 0, "exists": 0, "rejected": 1}
    [domain] = Domain.objects.all()
    assert (domain.team, domain.owner) == (other, "b@corp.example")


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda domain: Domain.objects.update(owner="b@corp.example"),
        lambda domain: domain.delete(),
        lambda domain: Domain.objects.update(owner="c@corp.example"),
    ],
    ids=["there already", "gone", "from another owner"],
)
def test_a_change_is_made_only_as_it_was_shown(manager, team, meanwhile):
    domain = make_domain("a.example", team, owner="a@corp.example")
    job = start_import(owned("a.example", "b@corp.example"), manager, "a.csv", team)
    meanwhile(domain)
    held = list(Domain.objects.values_list("name", "owner"))

    confirm_import(job)

    assert (job.phase, job.changed) == (ImportPhase.TRIED, 1)
    assert list(Domain.objects.values_list("name", "owner")) == held
    confirm_import(job)
    assert job.phase == ImportPhase.DONE
    assert Domain.objects.get().owner == "b@corp.example"


def test_a_large_import_that_another_one_has_overtaken_is_tried_again_in_the_background(
    manager, team, in_background
):
    job = start(manager, team, names(5))
    work_on_imports()
    make_domain("d4.example", team)

    job.refresh_from_db()
    confirm_import(job)
    assert (job.phase, Domain.objects.count()) == (ImportPhase.TRYING, 1)
    work_on_imports()

    job.refresh_from_db()
    assert (job.phase, job.changed, job.created, job.exists) == (ImportPhase.TRIED, 1, 4, 1)
    confirm_import(job)
    work_on_imports()
    job.refresh_from_db()
    assert (job.phase, job.created, Domain.objects.count()) == (ImportPhase.DONE, 4, 5)


def test_what_changes_while_an_import_runs_is_left_out_line_by_line(manager, team, in_background):
    job = start(manager, team, f"{names(6)}\nd3.example")
    work_on_imports()
    job.refresh_from_db()
    confirm_import(job)
    work_on_imports(budget_s=0)
    make_domain("d3.example", None, owner="b@corp.example")

    work_on_imports()

    job.refresh_from_db()
    assert (job.phase, job.created, job.rejected) == (ImportPhase.DONE, 5, 2)
    assert Domain.objects.get(name="d3.example").owner == "b@corp.example"
    assert AuditEntry.objects.get(verb="imported domains").after["created"] == 5


def test_a_team_that_the_import_makes_in_its_first_batch_changes_no_later_line(in_background):
    root = UserFactory(is_superuser=True)
    rows = read_table("a.csv", b"domain,team\na.example,New\nb.example,New\nc.example,New\n")
    job = start_import(rows, root, "a.csv", None)
    work_on_imports()
    job.refresh_from_db()
    confirm_import(job)
    work_on_imports()

    job.refresh_from_db()
    assert (job.phase, job.created, job.preview) == (ImportPhase.DONE, 3, 1)


def test_a_team_that_is_gone_takes_no_domain_and_leaves_none_without_one(team):
    root = UserFactory(is_superuser=True)
    job = start(root, team, "a.example")
    team.delete()

    confirm_import(job)

    assert (job.phase, job.preview, job.changed) == (ImportPhase.TRIED, 2, 0)
    assert not Domain.objects.exists()
    confirm_import(job)
    assert Domain.objects.get().team is None


def test_a_preview_that_is_no_longer_the_newest_confirms_nothing(client, manager, team):
    job = start(manager, team, "a.example\nb.example")
    address = reverse("domains:confirm_import", args=[job.pk])
    make_domain("a.example", team)
    again = client.post(address, {"preview": 1}, follow=True)
    stale = client.post(address, {"preview": 1}, follow=True)

    assert "is no longer what the preview said" in again.content.decode()
    assert "was: New" in again.content.decode()
    others = client.get(job.get_absolute_url(), {"fate": "other"}).context["table"].rows
    assert [row.record.domain for row in others] == ["a.example"]
    assert "There is a newer preview than the one you saw." in stale.content.decode()
    assert Domain.objects.count() == 1

    client.post(address, {"preview": 2})
    assert Domain.objects.count() == 2


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 5000, str(2**62)])
def test_a_preview_that_never_was_confirms_nothing(client, manager, team, seen):
    job = start(manager, team, "a.example")

    answer = client.post(reverse("domains:confirm_import", args=[job.pk]), {"preview": seen})

    assert answer.status_code == 302
    assert not Domain.objects.exists()


def test_only_what_is_not_confirmed_is_discarded(manager, team):
    draft, done = start(manager, team, "a.example"), start(manager, team, "b.example")
    confirm_import(done)

    assert discard_import(draft) is True
    assert discard_import(done) is False
    assert list(ImportJob.objects.all()) == [done]


def test_old_imports_are_forgotten(manager, team):
    now = timezone.now()
    draft, done = start(manager, team, "a.example"), start(manager, team, "b.example")
    confirm_import(done)

    forget_old_imports(now + KEEP_TRIED + timedelta(minutes=1))
    assert list(ImportJob.objects.all()) == [done]
    forget_old_imports(now + KEEP_DONE + timedelta(minutes=1))
    assert not ImportLine.objects.exists()
    assert not ImportJob.objects.filter(pk=draft.pk).exists()


def test_pasted_lines_are_shown_and_confirmed(client, team, manager):
    sent = {"text": "new.example\nno domain!\n", "team": team.pk}

    page = client.post(reverse("domains:import"), sent, follow=True)
    job = page.context["job"]
    assert not Domain.objects.exists()
    assert {outcome: count for outcome, _, count in page.context["fates"]} == {
        "created": 1,
        "exists": 0,
        "updated": 0,
        "rejected": 2,
    }
    refused = client.get(job.get_absolute_url(), {"fate": "rejected"})
    assert [row.record.domain for row in refused.context["table"].rows] == ["no", "domain!"]

    address = reverse("domains:confirm_import", args=[job.pk])
    answer = client.post(address, {"preview": job.preview})
    assert answer["Location"] == reverse("domains:list")
    assert list(Domain.objects.values_list("name", "team__name")) == [("new.example", "Retail")]


def test_a_file_is_named_where_it_came_from(client, team, manager):
    file = SimpleUploadedFile("list.csv", b"domain,tags\nshop.example,web\n")

    page = client.post(reverse("domains:import"), {"file": file, "team": team.pk}, follow=True)

    assert page.context["job"].source == "list.csv"
    assert "list.csv" in client.get(reverse("domains:imports")).content.decode()


def test_a_changed_domain_says_from_what_to_what(manager, team):
    make_domain("a.example", team, owner="old@corp.example")
    body = b"domain,owner,tags\na.example,,web\n"

    job = start_import(read_table("list.csv", body), manager, "list.csv", team)
    confirm_import(job)

    [line] = job.lines.all()
    assert (line.outcome, line.reason) == (
        "updated",
        "owner: old@corp.example → nothing; tags: nothing → web",
    )


def test_pasted_text_may_be_as_large_as_a_file(client, manager, team):
    note = f"# {'x' * (3 * 1024**2)}\n"

    page = client.post(
        reverse("domains:import"), {"text": note + "a.example", "team": team.pk}, follow=True
    )

    assert page.context["job"].total == 1


def test_pasted_text_over_the_limit_is_refused_in_words(client, manager, team, monkeypatch):
    monkeypatch.setattr(forms, "MAX_UPLOAD_BYTES", 1024**2)
    sent = {"text": "a.example\n" * 200_000, "team": team.pk}

    page = client.post(reverse("domains:import"), sent)

    [words] = page.context["form"].errors["text"]
    assert words.endswith("the limit is 1 MB. Split it.")
    assert not ImportJob.objects.exists()


def test_what_is_larger_than_any_form_gets_a_page_that_says_so(client, manager, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    page = client.post(reverse("domains:import"), {"text": "x" * 2000})

    assert page.status_code == 400
    assert "larger than a form may be" in page.content.decode()


def workbook(*, without="", cut=""):
    """Give an XLSX file; a part is left out, or loses its end."""
    table = tablib.Dataset(["a.example", "Mail"], headers=["domain", "team"])
    whole = zipfile.ZipFile(io.BytesIO(table.export("xlsx")))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as copy:
        for name in whole.namelist():
            if name != without:
                copy.writestr(name, whole.read(name)[: -20 if name == cut else None])
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04 no workbook", "XLSX file is damaged or cut off"),
        (workbook()[:400], "XLSX file is damaged or cut off"),
        (workbook(without="xl/workbook.xml"), "XLSX file is damaged or cut off"),
        (workbook(cut="xl/worksheets/sheet1.xml"), "XLSX file is damaged or cut off"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "workbook with a password"),
        (b"%PDF-1.7", "The file is a PDF"),
    ],
    ids=["no-zip", "cut-off", "no-table", "broken-xml", "old-xls", "pdf"],
)
def test_a_file_that_cannot_be_read_is_explained(client, team, manager, content, words):
    file = SimpleUploadedFile("list.xlsx", content)

    page = client.post(reverse("domains:import"), {"file": file, "team": team.pk})

    assert words in str(page.context["form"].errors)
    assert not ImportJob.objects.exists()


def test_a_list_in_utf_16_is_read_like_any_other():
    text = "domain,team\nmüller.example,Mail\n"

    assert read_table("list.csv", text.encode("utf-16")) == read_table("list.csv", text.encode())


def test_the_page_tells_how_far_it_is(client, manager, team, in_background):
    job = start(manager, team, names(5))
    work_on_imports(budget_s=0)
    address = job.get_absolute_url()

    whole = client.get(address).content.decode()
    part = client.get(address, {"progress": "1"}, headers={"HX-Request": "true"})
    work_on_imports()
    end = client.get(address, {"progress": "1"}, headers={"HX-Request": "true"})

    assert '<noscript><meta http-equiv="refresh"' in whole
    assert "2 of 5 lines" in part.content.decode()
    assert "<html" not in part.content.decode()
    assert end["HX-Redirect"] == address


def test_while_it_runs_the_numbers_are_those_of_the_lines_below(
    client, manager, team, in_background
):
    job = start(manager, team, f"no!\n{names(9)}")
    work_on_imports()
    draft = client.get(job.get_absolute_url()).content.decode()
    confirm_import(job)
    work_on_imports(budget_s=0)

    page = client.get(job.get_absolute_url())
    counts = {outcome.value: count for outcome, _, count in page.context["fates"]}

    assert page.context["job"].is_working
    assert "<span>New</span>" in draft
    assert '<option value="created">New</option>' in draft
    assert ">Added<" not in draft
    assert "<span>Added</span>" in page.content.decode()
    assert 0 < sum(counts.values()) < 10
    for fate, count in counts.items():
        rows = client.get(job.get_absolute_url(), {"fate": fate}).context["table"].rows
        assert len(rows) == count


def test_the_list_counts_what_was_done_and_no_preview(client, manager, team):
    start(manager, team, "a.example\nb.example")
    confirm_import(start(manager, team, "c.example"))
    address = reverse("domains:imports")

    rows = client.get(address).context["table"].rows
    waiting, done = sorted(rows, key=lambda row: row.record.pk)
    counts = ("total", "created", "updated", "exists", "rejected")
    assert [waiting.get_cell(name) for name in counts] == ["2", "–", "–", "–", "–"]
    assert [done.get_cell(name) for name in counts] == ["1", "1", "0", "0", "0"]
    text = client.get(address, {"export": "csv"}).content.decode()
    assert "tried,2,,,,," in text


def test_progress_sets_thousands_apart_everywhere(client, manager, team, in_background):
    job = start(manager, team, names(3))
    ImportJob.objects.filter(pk=job.pk).update(total=20001)

    page = client.get(job.get_absolute_url()).content.decode()

    assert page.count("0 of 20,001") == 2
    assert "20001<" not in page


def test_each_lines_fate_is_saved_as_csv(client, manager, team):
    job = start(manager, team, "a.example\nno!\n")
    confirm_import(job)

    text = client.get(job.get_absolute_url(), {"export": "csv"}).content.decode()

    header, first, second = text.splitlines()
    assert header == 'Line,Domain,What happens,"Why, or what changes",Team,Owner,Tags'
    assert first == "1,a.example,created,,Retail,,"
    assert second.startswith("2,no!,rejected,")


def test_text_beside_a_file_is_not_dropped_in_silence(client, manager, team):
    file = SimpleUploadedFile("list.csv", b"domain\na.example\n")

    sent = {"file": file, "text": "b.example", "team": team.pk}
    page = client.post(reverse("domains:import"), sent)

    assert "Paste or send a file, not both" in str(page.context["form"].errors)
    assert not ImportJob.objects.exists()


def test_the_preview_says_what_is_not_read_and_which_team_new_domains_get(client, manager, team):
    make_domain("there.example", None)
    body = b"domain,Region\nnew.example,EU\nthere.example,EU\n"
    file = SimpleUploadedFile("list.csv", body)

    page = client.post(reverse("domains:import"), {"file": file, "team": team.pk}, follow=True)

    assert "Column not read: Region." in page.content.decode()
    rows = page.context["table"].rows
    assert [row.get_cell("team") for row in rows] == ["Retail", "–"]


def test_an_import_says_which_teams_it_has_made(client):
    client.force_login(UserFactory(is_superuser=True))
    body = b"domain,team\na.example,Labs\nb.example,Sales\nc.example,Labs\n"
    file = SimpleUploadedFile("list.csv", body)

    page = client.post(reverse("domains:import"), {"file": file}, follow=True)
    job = page.context["job"]
    address = reverse("domains:confirm_import", args=[job.pk])
    done = client.post(address, {"preview": 1}, follow=True)

    words = "3 domains added. New teams: Labs and Sales. The first checks run now."
    assert words in done.content.decode()
    whole = client.get(job.get_absolute_url()).content.decode()
    assert "New teams: <bdi>Labs</bdi>, <bdi>Sales</bdi>." in whole


def test_an_import_is_its_persons_own(client, manager, team):
    job = start(manager, team, "a.example")
    client.force_login(make_member(team, Role.MANAGER))

    assert client.get(job.get_absolute_url()).status_code == 404
    for name in ("confirm_import", "discard_import"):
        assert client.post(reverse(f"domains:{name}", args=[job.pk])).status_code == 404
    assert client.get(reverse("domains:imports")).context["table"].paginator.count == 0

    client.force_login(UserFactory(is_superuser=True))
    assert client.get(job.get_absolute_url()).status_code == 200


def test_a_viewer_confirms_nothing(client, manager, team):
    job = start(manager, team, "a.example")
    Membership.objects.filter(user=manager).update(role=Role.VIEWER)

    assert client.post(reverse("domains:confirm_import", args=[job.pk])).status_code == 403
    assert not Domain.objects.exists()
