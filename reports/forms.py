"""The form that takes reports from a person."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile


class UploadForm(forms.Form):
    """One file with a report, a mail, or an archive of them."""

    file = forms.FileField(
        label="File",
        help_text="A report (JSON, gzip), a mail that carries one, or a zip of them.",
        widget=forms.FileInput(attrs={"accept": ".json,.gz,.zip,.eml,.mbox"}),
    )

    def clean_file(self) -> UploadedFile[Any]:
        """Refuse what an intake would refuse."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        limit = settings.INTAKE_MAX_MEGABYTES * 1024 * 1024
        if (file.size or 0) > limit:
            raise forms.ValidationError(
                f"The file has {(file.size or 0) / 1024**2:.1f} MB; the limit is "
                f"{settings.INTAKE_MAX_MEGABYTES} MB (INTAKE_MAX_MEGABYTES)."
            )
        return file
