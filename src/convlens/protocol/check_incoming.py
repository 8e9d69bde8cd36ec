"""How large a message from the browser may be (`convlens.maths.limits`), checked before any of it is copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convlens.maths.limits import SENT_BYTES, SENT_TEXT, SENT_VALUES
from convlens.protocol.decode import Refused


def check_incoming(content: Any, buffers: Sequence[Any] = ()) -> None:
    """Raise `Refused` for a message that is larger than any that a person's actions cause.

    Parameters
    ----------
    content
        Its JSON part, or the value of a trait.
    buffers
        Its binary buffers. Each may be named once: a message of a few bytes could name a large one a thousand times,
        and each time it would be copied.
    """
    sizes = [memoryview(buffer).nbytes for buffer in buffers]
    if sum(sizes) > SENT_BYTES:
        raise Refused(
            f"The widget sent {sum(sizes) / 1e6:,.0f} MB; a lens takes {SENT_BYTES / 1e6:.0f} MB at most in one "
            "message. Set large images and kernels in Python: lens.image = ..., lens.kernels = ..."
        )
    named: set[Any] = set()
    waiting, seen = [content], 0
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and len(value) > SENT_TEXT:
            raise Refused(
                f"The widget sent a text of {len(value):,} characters; a lens takes {SENT_TEXT:,} at most. Shorten it."
            )
        if isinstance(value, (dict, list)):
            seen += len(value)
            if seen > SENT_VALUES:
                raise Refused(
                    f"The widget sent more than {SENT_VALUES:,} values in one message, the most that a lens takes. "
                    "Set large kernels in Python: lens.kernels = ..."
                )
        if isinstance(value, dict):
            if set(value) == {"$buffer"} and isinstance(number := value["$buffer"], int):
                if number in named:
                    raise Refused(f"The widget named buffer {number} twice; each stands for one value.")
                named.add(number)
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
