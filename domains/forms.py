"""The forms of the inventory and the tools."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from accounts.access import Person, may, teams_for
from accounts.models import Team
from accounts.roles import Role
from domains.models import Domain, StsMode
from domains.services.publish_policy import uncovered_hosts
from mailtls import tlsrpt_record
from mailtls.names import MAX_NAME_LENGTH, fold_name, parse_domain
from mailtls.rua import destination_domain, judge_destinations, split_destinations
from mailtls.sts_policy import Mode, StsPolicy, render_policy
from webui.findings import WordedFinding, word, word_all
from webui.wording import plural

# Of a name that holds a record: those of hosts, and with underscores.
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
MAX_UPLOAD_BYTES = 20 * 1024 * 1024
NO_TEAM = "-"


def _too_large(what: str, size_bytes: int) -> str:
    mib = 1024**2
    limit = MAX_UPLOAD_BYTES // mib
    return f"{what} has {size_bytes / mib:.1f} MB; the limit is {limit} MB. Split it."


class ImportForm(forms.Form):
    """Pasted lines or a file, and the team for lines that name none."""

    one_of = ("text", "file")

    text = forms.CharField(
        required=False,
        label="Domains",
        help_text="One a line. Or a table with a header: domain, team, owner, tags.",
        widget=forms.Textarea(
            attrs={
                "rows": 10,
                "class": "mono",
                "spellcheck": "false",
                "placeholder": "example.com\nexample.net\nexample.org",
            }
        ),
    )
    file = forms.FileField(
        required=False,
        label="A file instead",
        help_text="CSV, XLSX or plain lines.",
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx,.txt"}),
    )
    team = forms.ModelChoiceField(
        queryset=Team.objects.none(),
        required=False,
        empty_label="No team",
        label="Team",
        help_text="For lines that name no team.",
    )

    def __init__(self, user: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team = self.fields["team"]
        assert isinstance(team, forms.ModelChoiceField)
        team.queryset = teams_for(user, Role.MANAGER)
        if not may(user, Role.MANAGER, None):
            team.empty_label = None
            team.required = True

    def clean_text(self) -> str:
        """Refuse more than a file may hold."""
        text: str = self.cleaned_data["text"]
        size = len(text.encode())
        if size > MAX_UPLOAD_BYTES:
            raise forms.ValidationError(_too_large("The text", size))
        return text

    def clean_file(self) -> UploadedFile[bytes] | None:
        """Refuse a file that is too large to be a list of domains."""
        file: UploadedFile[bytes] | None = self.cleaned_data.get("file")
        if file is not None and (file.size or 0) > MAX_UPLOAD_BYTES:
            raise forms.ValidationError(_too_large("The file", file.size or 0))
        return file

    def clean(self) -> dict[str, Any]:
        """Ask for one of the two."""
        values = super().clean() or {}
        if values.get("text", "").strip() and values.get("file"):
            raise forms.ValidationError(
                "Paste or send a file, not both: empty the text, or send it alone."
            )
        if not values.get("text", "").strip() and not values.get("file") and not self.errors:
            raise forms.ValidationError("Paste some domains or choose a file.")
        return values


class DomainForm(forms.Form):
    """What people decide about one domain."""

    team = forms.ModelChoiceField(
        queryset=Team.objects.none(), required=False, empty_label="No team", label="Team"
    )
    owner = forms.EmailField(
        required=False, label="Owner", help_text="Who hears of problems besides the team."
    )
    tags = forms.CharField(
        required=False, max_length=500, label="Tags", help_text="Apart by commas."
    )
    check_every_hours = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=720,
        label="Check every … hours",
        help_text="Empty: as often as all domains.",
    )
    is_active = forms.BooleanField(required=False, label="Watch this domain")
    notes = forms.CharField(required=False, label="Notes", widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, user: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team = self.fields["team"]
        assert isinstance(team, forms.ModelChoiceField)
        team.queryset = teams_for(user, Role.MANAGER)
        if not may(user, Role.MANAGER, None):
            team.empty_label = None
            team.required = True

    def clean_tags(self) -> tuple[str, ...]:
        """Split the tags."""
        return split_tags(self.cleaned_data["tags"])


class BulkForm(forms.Form):
    """What to change on all chosen domains; what is left alone stays as it is."""

    team = forms.ChoiceField(required=False, label="Team")
    owner = forms.EmailField(required=False, label="Owner", help_text="Empty: unchanged.")
    add_tags = forms.CharField(required=False, label="Add tags", help_text="Apart by commas.")
    remove_tags = forms.CharField(required=False, label="Remove tags", help_text="Apart by commas.")
    check_every_hours = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=720,
        label="Check every … hours",
        help_text="Empty: unchanged.",
    )
    is_active = forms.ChoiceField(
        required=False,
        label="Watched",
        choices=[("", "Unchanged"), ("yes", "Watch"), ("no", "Pause")],
    )

    def __init__(self, user: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["team"]
        assert isinstance(field, forms.ChoiceField)
        self._teams = {str(team.pk): team for team in teams_for(user, Role.MANAGER)}
        field.choices = [
            ("", "Unchanged"),
            *((key, str(team)) for key, team in self._teams.items()),
        ]
        if may(user, Role.MANAGER, None):
            field.choices = [*field.choices, (NO_TEAM, "No team")]

    def clean_add_tags(self) -> tuple[str, ...]:
        """Split the tags."""
        return split_tags(self.cleaned_data["add_tags"])

    def clean_remove_tags(self) -> tuple[str, ...]:
        """Split the tags."""
        return split_tags(self.cleaned_data["remove_tags"])

    def changes(self) -> dict[str, Any]:
        """Give the arguments for `update_domains`: only what was filled in."""
        values = self.cleaned_data
        changes: dict[str, Any] = {}
        if values["team"]:
            changes["team"] = self._teams.get(values["team"])
        if values["owner"]:
            changes["owner"] = values["owner"]
        if values["check_every_hours"]:
            changes["check_every_hours"] = values["check_every_hours"]
        if values["is_active"]:
            changes["is_active"] = values["is_active"] == "yes"
        for name in ("add_tags", "remove_tags"):
            if values[name]:
                changes[name] = values[name]
        return changes


def split_tags(text: str) -> tuple[str, ...]:
    """Give the words between commas, each once, or raise ValidationError for a long one."""
    tags = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if any(len(tag) > 50 for tag in tags):
        raise forms.ValidationError("A tag has more than 50 characters.")
    return tags


def _clean_rua(text: str) -> tuple[str, ...]:
    """Give the URIs, one a line, or raise ValidationError saying what is wrong with them."""
    uris = tuple(
        dict.fromkeys(_read_destination(line) for line in text.replace(",", "\n").splitlines())
    )
    uris = tuple(uri for uri in uris if uri)
    if uris:
        for uri in uris:
            _refuse_destination(uri)
        faults = [fault for uri in uris for fault in split_destinations(uri)[1]]
        _raise_errors(word_all(f.as_dict() for f in faults or judge_destinations(uris)))
        try:
            tlsrpt_record.render_record(uris)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
    return uris


def _refuse_destination(uri: str) -> None:
    """Raise for what a record may say, and what nobody means to publish."""
    scheme, _, rest = uri.partition(":")
    host = destination_domain(uri)
    if scheme.lower() == "mailto" and host and "." not in host:
        raise forms.ValidationError(
            f"{uri} has no domain that others can send mail to: write it in full, with a dot."
        )
    if scheme.lower() == "https" and "@" in re.split(r"[/?#]", rest.removeprefix("//"))[0]:
        raise forms.ValidationError(
            f"The destination at {host or 'this host'} names a user or a password, which DNS would "
            "show to everybody. Write it without them."
        )


def _read_destination(line: str) -> str:
    """Give a destination as the record holds it: with a scheme, in ASCII, and what RFC 8460
    section 3 wants encoded encoded. The size limits of DMARC (!10m) stay, to be refused."""
    uri = line.strip()
    if "@" in uri and ":" not in uri:
        uri = f"mailto:{uri}"
    scheme, colon, rest = uri.partition(":")
    if scheme.lower() == "mailto" and not rest.isascii():
        local, at, host = rest.rpartition("@")
        uri = f"{scheme}{colon}{local}{at}{fold_name(host)}"
    uri = uri.replace(";", "%3B")
    return uri if re.search(r"!\d+[kmgt]?$", uri, re.IGNORECASE) else uri.replace("!", "%21")


def _clean_domain(text: str) -> str:
    """Read the name that a record or policy is for; none is fine."""
    if not text.strip():
        return ""
    parsed = parse_domain(text)
    _raise_errors(word_all(f.as_dict() for f in parsed.findings))
    return parsed.value or ""


def _raise_errors(findings: list[WordedFinding]) -> None:
    texts = [f"{one.title}. {one.remedy}" for one in findings if one.severity == "error"]
    if texts:
        raise forms.ValidationError(texts)


class KitForm(forms.Form):
    """Where reports should go, for the DNS kit."""

    rua = forms.CharField(
        label="Reports go to",
        help_text="One address a line, ours first: some senders use the first one only.",
        widget=forms.Textarea(attrs={"rows": 2, "class": "mono", "spellcheck": "false"}),
    )
    delegate_to = forms.CharField(
        required=False,
        max_length=253,
        label="Delegate by CNAME to",
        help_text="Each name then points to this one, and the record stands there once.",
        widget=forms.TextInput(attrs={"class": "mono", "spellcheck": "false"}),
    )

    def clean_rua(self) -> tuple[str, ...]:
        """Read the destinations."""
        return _clean_rua(self.cleaned_data["rua"])

    def clean_delegate_to(self) -> str:
        """Read the name that the others point to."""
        typed: str = self.cleaned_data["delegate_to"].strip()
        name = fold_name(typed)
        if not name:
            return ""
        labels = name.split(".")
        if labels[-1].isdigit() or ":" in name:
            raise forms.ValidationError("This is an address. A CNAME points to a name.")
        if len(labels) == 1:
            raise forms.ValidationError("Write the name in full, with its domain.")
        if len(name) > MAX_NAME_LENGTH or not all(map(_LABEL.fullmatch, labels)):
            raise forms.ValidationError("This is no DNS name.")
        return name


class CheckerForm(forms.Form):
    """Any name to look at."""

    name = forms.CharField(
        max_length=300,
        label="Domain",
        widget=forms.TextInput(
            attrs={"class": "mono", "spellcheck": "false", "placeholder": "example.com"}
        ),
    )

    def clean_name(self) -> str:
        """Read the name, or say what it is instead."""
        parsed = parse_domain(self.cleaned_data["name"])
        _raise_errors(word_all(f.as_dict() for f in parsed.findings))
        assert parsed.value is not None
        return parsed.value


class TlsrptForm(forms.Form):
    """What a TLSRPT record is made of."""

    domain = forms.CharField(required=False, max_length=253, label="Domain")
    rua = forms.CharField(
        label="Reports go to",
        help_text="One address a line: mail addresses or https:// URLs. A comma in one is %2C.",
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"}),
    )

    def clean_rua(self) -> tuple[str, ...]:
        """Read the destinations."""
        return _clean_rua(self.cleaned_data["rua"])

    def clean_domain(self) -> str:
        """Read the name, or say what it is instead."""
        return _clean_domain(self.cleaned_data["domain"])


def _read_pattern(typed: str) -> str:
    star = "*." if typed.startswith("*.") else ""
    name = parse_domain(typed.removeprefix("*."))
    if name.value is None:
        why = ". ".join(word(finding.as_dict()).title for finding in name.findings)
        raise forms.ValidationError(f"{typed} is no MX host: {why}.")
    return star + name.value


class PolicyForm(forms.Form):
    """What an MTA-STS policy is made of."""

    AGES = [
        ("86400", "1 day"),
        ("604800", "7 days"),
        ("2592000", "30 days"),
        ("31557600", "1 year"),
    ]

    mode = forms.ChoiceField(choices=StsMode.choices, initial=StsMode.TESTING, label="Mode")
    mx = forms.CharField(
        required=False,
        label="MX hosts",
        help_text="One a line, *.example.com for all hosts one label below.",
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"}),
    )
    max_age = forms.ChoiceField(choices=AGES, initial="604800", label="Senders keep it for")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What is served already for another time is not shortened unasked.
        field = self.fields["max_age"]
        assert isinstance(field, forms.ChoiceField)
        held = str(self.initial.get("max_age", ""))
        if held.isdecimal() and held not in dict(self.AGES):
            days, rest = divmod(int(held), 86_400)
            words = plural(int(held), "second") if rest or not days else plural(days, "day")
            field.choices = [*self.AGES, (held, words)]

    def clean_mx(self) -> tuple[str, ...]:
        """Read the patterns, each once, as policies have them; names that no MX has are refused."""
        words = re.split(r"[\s,;]+", self.cleaned_data["mx"].strip())
        return tuple(dict.fromkeys(_read_pattern(word) for word in words if word))

    def clean(self) -> dict[str, Any]:
        """Demand an MX host where senders do (RFC 8461 section 3.2)."""
        values = super().clean() or {}
        if values.get("mode") != StsMode.NONE and values.get("mx") == ():
            self.add_error("mx", "Name at least one MX host: only the mode None goes without.")
        return values

    def patterns(self) -> tuple[str, ...]:
        """Give the `mx` patterns."""
        found: tuple[str, ...] = self.cleaned_data["mx"]
        return found

    def policy_file(self) -> str:
        """Give the policy's text, or raise ValueError where no sender would take it."""
        values = self.cleaned_data
        mode = Mode(values["mode"])
        return render_policy(
            StsPolicy(mode=mode, max_age_s=int(values["max_age"]), mx=self.patterns())
        )


class HostedPolicyForm(PolicyForm):
    """A policy that the portal is to serve for a domain."""

    despite = forms.BooleanField(required=False, label="Enforce it all the same")

    def __init__(self, domain: Domain, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._domain = domain

    def visible_fields(self) -> list[forms.BoundField]:
        """Leave the consent out where none is asked for."""
        is_asked = "despite" in self.errors or self["despite"].value()
        return [one for one in super().visible_fields() if one.name != "despite" or is_asked]

    def clean(self) -> dict[str, Any]:
        """Ask for consent where senders would refuse mail at once (RFC 8461 section 5)."""
        values = super().clean()
        if values.get("mode") == StsMode.ENFORCE and values.get("mx") and not values["despite"]:
            left_out = uncovered_hosts(self._domain, values["mode"], values["mx"])
            if left_out:
                self.add_error(
                    "despite",
                    f"Senders would refuse to deliver to {', '.join(left_out)}, where checks see "
                    "the mail of this domain go. Cover them under MX hosts, or tick this.",
                )
        return values


class StsForm(PolicyForm):
    """A policy for a domain that may be no one's yet."""

    domain = forms.CharField(required=False, max_length=253, label="Domain")

    field_order = ("domain",)

    def clean_domain(self) -> str:
        """Read the name, or say what it is instead."""
        return _clean_domain(self.cleaned_data["domain"])
