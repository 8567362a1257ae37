"""Filters for causes and states of reports."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from mailtls.catalogue.result_types import describe_result_type
from reports import signs
from reports.models import Outcome

register = template.Library()

register.filter("cause_name", signs.cause_name)
register.filter("cause_words", describe_result_type)


@register.filter
def outcome_sign(outcome: str) -> SafeString:
    """Give what became of something that arrived."""
    return signs.OUTCOME[Outcome(outcome)].html()
