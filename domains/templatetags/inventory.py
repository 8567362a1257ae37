"""What empty pages ask of the inventory."""

from __future__ import annotations

from django import template
from django.template import RequestContext

from domains.models import Domain

register = template.Library()


@register.simple_tag(takes_context=True)
def count_paused(context: RequestContext) -> int:
    """Give how many domains this person sees that are not watched."""
    seen = Domain.objects.visible_to(context["request"].user)
    return seen.filter(is_active=False).order_by().count()
