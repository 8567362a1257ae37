"""The demo world: 40 domains of a made-up group, 90 days of its reports, a running incident.

The same seed gives the same world. It is fed through the same services as real data, so every
figure on the screens is the product of the real code.
"""
