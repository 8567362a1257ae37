"""`checkdomain` from the outside: results, progress, exit codes; no database."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.prober.dns_world import ThreadedServer, Zone


@pytest.fixture
def world(settings: Any) -> Any:
    zone = Zone().txt("_smtp._tls.example.com", "v=TLSRPTv1; rua=tls@example.com")
    zone.add("example.com", "MX", "10 mx1.example.com.").add("mx1.example.com", "A", "192.0.2.1")
    zone.add("xn--bcher-kva.example", "MX", "0 .")
    with ThreadedServer(zone) as address:
        settings.DNS_NAMESERVERS = [address]
        settings.PROBE_PRIVATE_ADDRESSES = True
        yield zone


def run(*arguments: str, **options: Any) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("checkdomain", *arguments, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_json_is_one_object_a_line_with_the_names_of_the_contract(world: Zone):
    out, err = run("example.com", "bücher.example", "--json")

    verdicts = {v["domain"]: v for v in map(json.loads, out.splitlines())}
    assert set(verdicts) == {"example.com", "xn--bcher-kva.example"}
    verdict = verdicts["example.com"]
    assert list(verdict) == [
        "domain",
        "checked_at",
        "took_ms",
        "tlsrpt",
        "mta_sts",
        "mx",
        "dane",
        "starttls",
    ]
    assert verdict["tlsrpt"]["status"] == "invalid"
    assert verdict["tlsrpt"]["record"] == "v=TLSRPTv1; rua=tls@example.com"
    assert verdict["tlsrpt"]["findings"][0] == {
        "code": "tlsrpt.rua.no-scheme",
        "severity": "error",
        "params": {"found": "tls@example.com"},
    }
    assert verdict["mx"]["hosts"] == [
        {"name": "mx1.example.com", "preference": 10, "covered": None}
    ]
    assert verdict["starttls"] == {"status": "not-checked", "hosts": [], "findings": []}
    assert verdicts["xn--bcher-kva.example"]["mx"]["status"] == "null-mx"
    assert err == ""


def test_people_get_the_mistake_its_meaning_and_the_remedy(world: Zone):
    out, _ = run("example.com")

    assert "A destination without mailto: or https: tls@example.com" in " ".join(out.split())
    assert "→ Write mailto: before the address." in " ".join(out.split())
    assert "tlsrpt.rua.no-scheme" in out


def test_a_record_cannot_send_escape_sequences_to_the_terminal(world: Zone):
    world.records["_smtp._tls.example.com", "TXT"] = ['"v=TLSRPTv1; rua=\\027[2J\\007boo"']

    out, _ = run("example.com")
    as_json, _ = run("example.com", "--json")

    assert "boo" in out
    assert not {"\x1b", "\x07"} & set(out + as_json)
    assert json.loads(as_json)["tlsrpt"]["record"] == "v=TLSRPTv1; rua=\x1b[2J\x07boo"


def test_names_are_folded_and_each_is_checked_once(world: Zone):
    out, _ = run("EXAMPLE.com.", "example.com", "--json")

    assert [json.loads(line)["domain"] for line in out.splitlines()] == ["example.com"]


def test_a_bad_line_is_told_and_stops_no_good_one(world: Zone, tmp_path: Path):
    listed = tmp_path / "list"
    listed.write_text("# ours\n\nexample.com\nnot a name\nhttps://example.com/\n", "utf-8")

    out, err = run("--file", str(listed), "--json")

    assert [json.loads(line)["domain"] for line in out.splitlines()] == ["example.com"]
    assert "line 4: No domain name: not a name" in err
    assert "line 5: A web address is no domain" in err


def test_a_list_can_come_from_standard_input(world: Zone, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("example.com\n"))

    out, _ = run("--file", "-", "--json")

    assert json.loads(out)["domain"] == "example.com"


@pytest.mark.parametrize(
    ("arguments", "returncode"),
    [
        ([], 2),
        (["not a name"], 2),
        (["--file", "/no/such/list"], 1),
    ],
)
def test_what_cannot_be_done_ends_with_one_line(arguments: list[str], returncode: int):
    with pytest.raises(CommandError) as caught:
        run(*arguments)

    assert caught.value.returncode == returncode
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("concurrency", ["0", "-1", "many", "100000"])
def test_a_bad_concurrency_is_a_bad_argument(concurrency: str):
    with pytest.raises(CommandError, match="number from 1 to"):
        run("example.com", f"--concurrency={concurrency}")


def test_a_bad_setting_is_told(settings: Any):
    settings.DNS_NAMESERVERS = ["resolver.example"]

    with pytest.raises(CommandError, match="DNS_NAMESERVERS"):
        run("example.com")


def test_an_authority_file_that_is_not_there_is_told(settings: Any):
    settings.PROBE_CA_FILE = "/no/such/file.pem"

    with pytest.raises(CommandError, match="PROBE_CA_FILE"):
        run("example.com")


def test_an_authority_file_without_certificates_is_told(settings: Any, tmp_path: Path):
    (tmp_path / "ca.pem").write_text("not a certificate")
    settings.PROBE_CA_FILE = str(tmp_path / "ca.pem")

    with pytest.raises(CommandError, match="PEM"):
        run("example.com")
