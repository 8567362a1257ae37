"""What forms of all screens share."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError


def spread_errors(form: forms.BaseForm, error: ValidationError) -> None:
    """Put what a service refused beside the fields it is about, the rest on top of the form."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error.messages)
        return
    for name, texts in error.message_dict.items():
        form.add_error(name if name in form.fields else None, texts)
