"""Choices come out as Django's own templates would write them."""

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.test.html import parse_html

from webui.form_renderer import FormRenderer

CHOICES = [("", "Any"), ("a", "A & B"), ("Group <1>", [("x", "X"), (2, "Two")])]


class Chooser(forms.Form):
    one = forms.ChoiceField(choices=CHOICES, required=True)
    many = forms.MultipleChoiceField(choices=CHOICES, required=False, disabled=True)


@pytest.mark.parametrize("data", [{}, {"one": "2", "many": ["a", "x"]}, {"one": "<no>"}])
@pytest.mark.parametrize("field", ["one", "many"])
def test_a_select_is_as_djangos_own(field, data):
    ours, theirs = (
        Chooser(data, renderer=renderer)[field].as_widget(attrs={"class": "form-select"})
        for renderer in (FormRenderer(), DjangoTemplates())
    )

    assert parse_html(ours) == parse_html(theirs)
    assert "<option" in ours
