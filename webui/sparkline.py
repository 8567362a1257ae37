"""A small bar chart as SVG, for one cell of a table."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 88, 22
FULL_RATE = 0.05


def sparkline(rates: Sequence[float | None], label: str) -> SafeString:
    """Draw one bar a day, zero-based; None is a day without any report.

    The highest bar stands for the highest rate, or for 5 %: a single failure must not look like
    an outage.
    """
    step = WIDTH / max(len(rates), 1)
    top = max([FULL_RATE, *(rate for rate in rates if rate)])
    bars = []
    for at, rate in enumerate(rates):
        if not rate:
            continue
        height = max(1.5, (HEIGHT - 2) * rate / top)
        bars.append(
            (f"{at * step:.1f}", f"{HEIGHT - 1 - height:.1f}", f"{step * 0.8:.1f}", f"{height:.1f}")
        )
    silent = [(f"{at * step:.1f}", f"{step:.1f}") for at, rate in enumerate(rates) if rate is None]
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<line class="base" x1="0" x2="{}" y1="{}" y2="{}"/>{}{}</svg>',
        WIDTH,
        HEIGHT,
        label,
        WIDTH,
        HEIGHT - 0.5,
        HEIGHT - 0.5,
        format_html_join("", '<rect class="void" x="{}" width="{}" y="18" height="3"/>', silent),
        format_html_join("", '<rect class="bar" x="{}" y="{}" width="{}" height="{}"/>', bars),
    )
