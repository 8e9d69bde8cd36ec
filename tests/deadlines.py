"""How long a test waits for a condition before it fails: longer than the slowest and busiest machine needs.

A condition that comes true ends the wait at once, so that a long limit costs nothing but where something is broken.
"""

from __future__ import annotations

SECONDS = 300
