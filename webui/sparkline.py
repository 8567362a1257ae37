"""A small bar chart as SVG, for one cell of a table."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

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
            f'<rect class="bar" x="{at * step:.1f}" y="{HEIGHT - 1 - height:.1f}" '
            f'width="{step * 0.8:.1f}" height="{height:.1f}"/>'
        )
    silent = [
        f'<rect class="void" x="{at * step:.1f}" width="{step:.1f}" y="18" height="3"/>'
        for at, rate in enumerate(rates)
        if rate is None
    ]
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<line class="base" x1="0" x2="{}" y1="{}" y2="{}"/>{}{}</svg>',
        WIDTH,
        HEIGHT,
        label,
        WIDTH,
        HEIGHT - 0.5,
        HEIGHT - 0.5,
        mark_safe("".join(silent)),  # noqa: S308 — numbers
        mark_safe("".join(bars)),  # noqa: S308 — numbers
    )
