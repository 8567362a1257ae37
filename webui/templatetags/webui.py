"""Tags and filters of all screens: icons, states, figures, times, form fields."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.template import RequestContext
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from webui import wording
from webui.exports import Format
from webui.icons import svg
from webui.markup import unbroken
from webui.sparkline import sparkline as draw_sparkline
from webui.status import Sign, Tone

register = template.Library()

register.filter("number", wording.number)
register.filter("day", wording.day)
register.filter("unbroken", unbroken)


@register.simple_tag
def icon(name: str) -> SafeString:
    """Give an icon's markup."""
    return mark_safe(svg(name))  # noqa: S308 — our own table of icons


@register.filter
def pill(sign: Sign) -> SafeString:
    """Give a state on a tinted ground."""
    return sign.html(pill=True)


@register.filter
def sign(sign: Sign) -> SafeString:
    """Give a state as icon and word."""
    return sign.html()


@register.simple_tag
def status(tone: str, word: str, icon: str = "", meaning: str = "") -> SafeString:
    """Give a state made on the spot."""
    return Sign(Tone(tone), word, icon, meaning).html(pill=True)


@register.simple_tag
def rate(failed: int | None, sessions: int | None) -> str:
    """Give failed of all sessions in per cent."""
    return wording.failure_rate(failed, sessions)


@register.filter
def signed(text: str) -> str:
    """Give a number with its sign; the true minus is as wide as the plus."""
    return text.replace("-", "\u2212") if text.startswith("-") else f"+{text.lstrip('+')}"


@register.simple_tag
def delta(points: float) -> SafeString:
    """Give the change of a failure rate: more is bad, and the word says so beside the colour."""
    if abs(points) < 0.005:
        return format_html("{}", "unchanged")
    tone, word = ("bad", "worse") if points > 0 else ("good", "better")
    text = signed(f"{points:.2f}")
    return format_html('<span class="delta-{}">{} points, {}</span>', tone, text, word)


@register.simple_tag
def change_in_percent(change: float) -> str:
    """Give how much more or less it is in per cent, with its sign."""
    if abs(change) < 0.05:
        return "unchanged"
    return f"{signed(f'{change:,.1f}')}{wording.PER_CENT}"


@register.simple_tag
def share(part: int, whole: int) -> str:
    """Give a part in per cent of a whole."""
    return wording.share(part, whole)


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """Give how long ago it was; the exact time stands in the tooltip."""
    if moment is None:
        return "never"
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        moment.isoformat(timespec="seconds"),
        f"{moment:%Y-%m-%d %H:%M:%S}",
        wording.ago(moment, timezone.now()),
    )


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """Give a moment in UTC to the minute."""
    if value is None:
        return "–"
    return format_html(
        '<time datetime="{}">{} {} UTC</time>',
        value.isoformat(timespec="seconds"),
        wording.day(value.date()),
        f"{value:%H:%M}",
    )


@register.filter
def breakable(name: str, after: str = ".") -> SafeString:
    """Let a host name that is too long for its line break after a dot, or a list after a comma."""
    between = format_html("{}<wbr>", after)
    return format_html_join(between, "{}", ((part,) for part in name.split(after)))


@register.filter
def plain_text(text: str) -> str:
    """Give a text of the documentation without its marks for code."""
    return text.replace("`", "")


@register.filter
def isoday(value: date) -> str:
    """Give a day as it stands in addresses."""
    return value.isoformat()


@register.simple_tag
def sparkline(rates: Sequence[float | None], label: str) -> SafeString:
    """Draw one bar a day."""
    return draw_sparkline(rates, label)


@register.simple_tag
def counted(count: int, one: str, many: str = "") -> str:
    """Give `1 domain`, `3 domains`."""
    return wording.plural(count, one, many)


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """Give a form field's control in our style."""
    widget = field.field.widget
    attrs: dict[str, Any] = {}
    if isinstance(widget, forms.CheckboxInput):
        attrs["class"] = "form-check-input"
    elif isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        attrs["class"] = ""
    elif isinstance(widget, forms.Select | forms.SelectMultiple):
        attrs["class"] = "form-select"
    else:
        attrs["class"] = "form-control"
    if own := widget.attrs.get("class"):
        attrs["class"] += f" {own}"
    return field.as_widget(attrs=attrs)


@register.filter
def is_checkbox(field: BoundField) -> bool:
    """Say whether the label stands after the control."""
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def is_choice_list(field: BoundField) -> bool:
    """Say whether the control is a list of radio buttons or boxes."""
    return isinstance(field.field.widget, forms.RadioSelect | forms.CheckboxSelectMultiple)


@register.filter
def may_be_empty(field: BoundField) -> bool:
    """Say whether a label calls the field optional.

    A select's first choice says so itself, and of the fields of `form.one_of` one has to be filled.
    """
    is_select = isinstance(field.field.widget, forms.Select)
    is_one_of = field.name in getattr(field.form, "one_of", ())
    return not (field.field.required or is_select or is_one_of)


@register.inclusion_tag("webui/_field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """Render label, control, help and errors of one field."""
    return {"field": bound}


@register.inclusion_tag("webui/_fields.html")
def fields(form: forms.BaseForm) -> dict[str, Any]:
    """Render all fields of a form."""
    return {"form": form}


@register.simple_tag(takes_context=True)
def save_as(context: RequestContext, table: str = "") -> SafeString:
    """Give the links to a table of this page as files: the same filters, order and columns.

    `table` names it where the page has several; see `webui.exports.asked_file`.
    """
    query = context["request"].GET.copy()
    query.pop("page", None)
    if table:
        query["table"] = table
    addresses = []
    for form in Format:
        query["export"] = form.value
        addresses.append(f"?{query.urlencode()}")
    # Links that read alike lead to the same place, also for those who hear them.
    words = format_html('<span class="visually-hidden">, {}</span>', table.replace("-", " "))
    which = words if table else ""
    return format_html(
        '<span class="save-as">Save as <a href="{}">CSV{}</a> or <a href="{}">XLSX{}</a></span>',
        addresses[0],
        which,
        addresses[1],
        which,
    )
