"""The icons: our own strokes on a 16 by 16 grid, drawn in the current colour."""

from __future__ import annotations

ICONS: dict[str, str] = {
    "alert": '<path d="M8 2.2 14.4 13.3H1.6Z"/><path d="M8 6.5v3.2M8 11.4v.1"/>',
    "arrow-right": '<path d="M3 8h10M9 4l4 4-4 4"/>',
    "bell": '<path d="M4 11V7a4 4 0 0 1 8 0v4l1.2 1.5H2.8Z"/><path d="M6.6 14.2h2.8"/>',
    "board": '<rect x="2" y="2.5" width="3.2" height="11" rx=".8"/>'
    '<rect x="6.6" y="2.5" width="3.2" height="7" rx=".8"/>'
    '<rect x="11.2" y="2.5" width="3.2" height="9" rx=".8"/>',
    "chart": '<path d="M2.5 2.5v11h11"/><path d="M5.5 10.5V8M8.5 10.5v-5M11.5 10.5V7"/>',
    "check": '<path d="m3 8.5 3.2 3.2L13 4.8"/>',
    "clock": '<circle cx="8" cy="8" r="6"/><path d="M8 4.6V8l2.3 1.5"/>',
    "copy": '<rect x="5.5" y="5.5" width="8" height="8" rx="1.4"/>'
    '<path d="M10.5 5.5V3.6a1 1 0 0 0-1-1H3.6a1 1 0 0 0-1 1v5.9a1 1 0 0 0 1 1h1.9"/>',
    "cross": '<path d="m4 4 8 8M12 4l-8 8"/>',
    "dash": '<circle cx="8" cy="8" r="5.8" stroke-dasharray="2.4 2.15"/>',
    "document": '<path d="M4 1.8h5.2L12.5 5v9.2H4Z"/><path d="M9 2v3.2h3.3M6.3 8.3h4M6.3 11h4"/>',
    "download": '<path d="M8 2.5v7.6M4.8 7.2 8 10.4l3.2-3.2M2.8 13.4h10.4"/>',
    "external": '<path d="M6.5 3H3v10h10V9.5M9 2.8h4.2V7M13 3 7.6 8.4"/>',
    "filter": '<path d="M2 3.5h12M4.5 8h7M6.7 12.5h2.6"/>',
    "flag": '<path d="M3.5 14V2.5h8.8L10.4 5.6l1.9 3.2H3.5"/>',
    "gauge": '<path d="M2.6 12.2a6 6 0 1 1 10.8 0"/><path d="m8 9.3 2.6-3"/>',
    "gear": '<circle cx="8" cy="8" r="2.1"/><path d="M8 1.8v1.9M8 12.3v1.9M1.8 8h1.9M12.3 8h1.9'
    'M3.6 3.6 5 5M11 11l1.4 1.4M12.4 3.6 11 5M5 11l-1.4 1.4"/>',
    "globe": '<circle cx="8" cy="8" r="6"/><path d="M2 8h12M8 2c2 1.8 2.7 3.8 2.7 6S10 12.2 8 14'
    'C6 12.2 5.3 10.2 5.3 8S6 3.8 8 2Z"/>',
    "inbox": '<path d="M2 9.2 4 3h8l2 6.2v3.6H2Z"/><path d="M2 9.2h3.6c.2 1.3 1.1 2 2.4 2s2.2-.7 '
    '2.4-2H14"/>',
    "info": '<circle cx="8" cy="8" r="6"/><path d="M8 7.4v3.6M8 5v.1"/>',
    "key": '<circle cx="5.2" cy="10.6" r="2.8"/><path d="m7.2 8.6 5.8-5.8M10.6 5.2l2 2"/>',
    "list": '<path d="M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4v.1M2.5 8v.1M2.5 12v.1"/>',
    "lock": '<rect x="3.2" y="7" width="9.6" height="6.8" rx="1.4"/>'
    '<path d="M5.2 7V5a2.8 2.8 0 0 1 5.6 0v2"/>',
    "mail": '<rect x="1.8" y="3.2" width="12.4" height="9.6" rx="1.4"/>'
    '<path d="m2.2 4.4 5.8 4.4 5.8-4.4"/>',
    "menu": '<path d="M2.5 4h11M2.5 8h11M2.5 12h11"/>',
    "monitor": '<rect x="1.8" y="2.5" width="12.4" height="8.6" rx="1.2"/>'
    '<path d="M8 11.2v2.4M5.2 13.6h5.6"/>',
    "moon": '<path d="M13.4 9.7A5.8 5.8 0 0 1 6.3 2.6a5.8 5.8 0 1 0 7.1 7.1Z"/>',
    "more": '<path d="M3.5 8v.1M8 8v.1M12.5 8v.1"/>',
    "mute": '<path d="M4 11V7a4 4 0 0 1 6-3.4M12 8v3l1.2 1.5H5.6M2.2 14 13.8 2.4"/>',
    "octagon": '<path d="M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5Z"/><path d="M8 5v3.6M8 10.8v.1"/>',
    "ok": '<circle cx="8" cy="8" r="6"/><path d="m5.3 8.2 1.9 1.9 3.6-4"/>',
    "people": '<circle cx="6" cy="5.4" r="2.5"/>'
    '<path d="M1.6 13.4c.3-2.6 2-4 4.4-4s4.1 1.4 4.4 4"/>'
    '<path d="M10.4 3.2a2.3 2.3 0 0 1 0 4.4M12 9.8c1.4.5 2.2 1.8 2.4 3.6"/>',
    "plus": '<path d="M8 3v10M3 8h10"/>',
    "question": '<circle cx="8" cy="8" r="6"/>'
    '<path d="M6.2 6.2c.2-1 .9-1.5 1.8-1.5 1.1 0 1.8.7 1.8 1.6 0 1.3-1.8 1.4-1.8 2.7M8 11.1v.1"/>',
    "refresh": '<path d="M13.3 6.8A5.5 5.5 0 0 0 3.2 5.4M2.7 9.2a5.5 5.5 0 0 0 10.1 1.4"/>'
    '<path d="M3 2.6v3h3M13 13.4v-3h-3"/>',
    "search": '<circle cx="7" cy="7" r="4.6"/><path d="m10.5 10.5 3.3 3.3"/>',
    "send": '<path d="M14 2 7.2 8.8M14 2 9.8 14 7.2 8.8 2 6.2Z"/>',
    "shield": '<path d="M8 1.8 13.2 4v3.8c0 3-2 5.2-5.2 6.4-3.2-1.2-5.2-3.4-5.2-6.4V4Z"/>',
    "spark": '<path d="M1.8 9.2h2.6L6.2 4l3 8 1.8-4.4h3.2"/>',
    "start": '<path d="M8 1.8c2.6 1.6 3.6 4 3.4 7L8 10.8 4.6 8.8c-.2-3 .8-5.4 3.4-7Z"/>'
    '<path d="M4.6 8.2 2.8 11l2.6-.4M11.4 8.2l1.8 2.8-2.6-.4M8 11v3"/>',
    "sun": '<circle cx="8" cy="8" r="2.8"/><path d="M8 1.6v1.2M8 13.2v1.2M1.6 8h1.2M13.2 8h1.2'
    'M3.5 3.5l.8.8M11.7 11.7l.8.8M12.5 3.5l-.8.8M4.3 11.7l-.8.8"/>',
    "sort-down": '<path d="M8 3.5v9M4.5 9 8 12.5 11.5 9"/>',
    "sort-up": '<path d="M8 12.5v-9M4.5 7 8 3.5 11.5 7"/>',
    "upload": '<path d="M8 10.4V2.8M4.8 5.7 8 2.5l3.2 3.2M2.8 13.4h10.4"/>',
    "waiver": '<path d="M4 1.8h5.2L12.5 5v9.2H4Z"/><path d="m5.9 9.4 1.6 1.6 3-3.4"/>',
    "user": '<circle cx="8" cy="5.4" r="2.8"/>'
    '<path d="M2.8 14c.3-2.9 2.3-4.4 5.2-4.4s4.9 1.5 5.2 4.4"/>',
    "wrench": '<path d="M13.6 4.6 11.4 6.8 9.2 6.8 9.2 4.6 11.4 2.4A3.8 3.8 0 0 0 6.6 7.2'
    'L2.4 11.4a1.5 1.5 0 0 0 2.2 2.2l4.2-4.2a3.8 3.8 0 0 0 4.8-4.8Z"/>',
}


def svg(name: str) -> str:
    """Give the markup of an icon; it is decoration, the word beside it carries the meaning."""
    return (
        '<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">'
        f"{ICONS[name]}</svg>"
    )
