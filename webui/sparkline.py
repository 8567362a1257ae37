"""A small bar chart as SVG, for one cell of a table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from django.utils.safestring import SafeString, mark_safe

WIDTH, HEIGHT = 88, 22
FULL_RATE = 0.05
_OPENING = f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="'
_BASE = f'<line class="base" x1="0" x2="{WIDTH}" y1="{HEIGHT - 0.5}" y2="{HEIGHT - 0.5}"/>'


def sparkline(rates: Sequence[float | None], label: str) -> SafeString:
    """Draw one bar a day, zero-based; None is a day without any report.

    The highest bar stands for the highest rate, or for 5 %: a single failure must not look like
    an outage.
    """
    step = WIDTH / max(len(rates), 1)
    top = max([FULL_RATE, *(rate for rate in rates if rate)])
    bars, silent = [], []
    for at, rate in enumerate(rates):
        if rate is None:
            silent.append(_bar(at * step, 18, step, 3))
        elif rate:
            height = max(1.5, (HEIGHT - 2) * rate / top)
            bars.append(_bar(at * step, HEIGHT - 1 - height, step * 0.8, height))
    return mark_safe(  # noqa: S308 — the label is escaped, all else is our own
        f'{_OPENING}{escape(label)}">{_BASE}'
        f'<path class="void" d="{"".join(silent)}"/><path class="bar" d="{"".join(bars)}"/></svg>'
    )


def _bar(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z"
