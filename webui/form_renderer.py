"""Renders forms as Django does, but lists of choices without a template for each choice.

A page with a handful of filters has a hundred choices, and that would be half of its work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.forms.utils import flatatt
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

SELECT = "django/forms/widgets/select.html"


class FormRenderer(DjangoTemplates):
    """Django's renderer, with a short way for `<select>`."""

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        """Give the markup of a form, field or control."""
        if template_name == SELECT:
            return _select(context["widget"])
        return super().render(template_name, context, request)


def _select(widget: Mapping[str, Any]) -> SafeString:
    groups = []
    for name, options, _ in widget["optgroups"]:
        markup = _options(options)
        if name:
            markup = format_html('<optgroup label="{}">{}</optgroup>', name, markup)
        groups.append(markup)
    return format_html(
        '<select name="{}"{}>{}</select>',
        widget["name"],
        flatatt(widget["attrs"]),
        mark_safe("".join(groups)),  # noqa: S308 — each group is escaped
    )


def _options(options: Iterable[Mapping[str, Any]]) -> SafeString:
    rows = (
        f'<option value="{conditional_escape(option["value"])}"{flatatt(option["attrs"])}>'
        f"{conditional_escape(option['label'])}</option>"
        for option in options
    )
    return mark_safe("".join(rows))  # noqa: S308 — each part is escaped
