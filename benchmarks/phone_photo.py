"""P15, P16 and P17: a phone's photo of 12 million pixels, as a file: first sight, an edit, and memory."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.memory import sizes
from benchmarks.photographs import photographs
from benchmarks.session import Bench, call, edits, stages
from benchmarks.table import Row, Spread, multiple
from tests.browser.memory import RESIDENT

LARGE, SMALL = (3000, 4000), (255, 384)
ROUNDS = 3
#: MB of the image as float32 in one channel.
GREY = 4 * LARGE[0] * LARGE[1] / 1e6
ROWS = (
    ("P15", "a phone's photo of 4000×3000, Keras imported: cell run → image, kernels and Keras's maps on screen"),
    ("P16", "an edit there → preview; Keras's paint; bytes of the answer"),
    ("P17", "memory of that lens above one at 255×384"),
)

#: The necessary work in the kernel, each step by the library that does it, in ms.
BARE = """
import keras, time
import numpy as np
import tensorflow as tf
from PIL import Image
kernels = tf.constant(np.random.default_rng(0).normal(size=(4, 4, 1, 4)), tf.float32)
traced = tf.function(lambda x: tf.nn.conv2d(x, kernels, 1, "VALID"))
def bare(path):
    start = time.perf_counter()
    grey = np.asarray(Image.open(path).convert("RGB").convert("L"), np.float32) / 255
    traced(tf.constant(grey[None, :, :, None])).numpy()
    return (time.perf_counter() - start) * 1000
[bare({large!r}) for _ in range(2)], [bare({small!r}) for _ in range(2)]
"""
LENS = "from convlens import ConvLens\nlens = ConvLens({path!r})\nlens"
#: The bytes of the map that answers an edit of the first filter, and the device pixels of a map.
ANSWER = "len(lens._outbox.table(lens._state['order'][:1])['filters'][0]['map']['levels'])"
PIXELS = """() => {
  const canvas = document.querySelector(".convlens figure[data-uid] canvas");
  return Math.round(canvas.clientWidth * devicePixelRatio) * Math.round(canvas.clientHeight * devicePixelRatio);
}"""


@dataclass(frozen=True)
class Found:
    """What was measured with one file."""

    #: Milliseconds until Keras's maps are on screen, and of the bare steps.
    sight: float
    bare: float
    edit: dict[str, Spread]
    answer: int
    pixels: int
    kernel: float
    page: float


def rows(bench: Bench) -> Iterator[Row]:
    """Measure the photo and a small one alternately."""
    files = save(bench)
    large, small = (measure(bench, files, size) for size in ("large", "small"))
    most = 1.5 * large.bare + small.sight
    yield Row(
        *ROWS[0],
        f"{large.sight:.0f} ms",
        f"decoding, luminance and a traced `tf.nn.conv2d` take {large.bare:.0f} ms; the same lens at 255×384 "
        f"{small.sight:.0f} ms; {multiple(large.sight, most)} what is allowed",
        f"≤ {most:.0f} ms",
        large.sight <= most,
    )
    preview, keras = large.edit["paint"], large.edit["keras"]
    allowed = 1.5 * large.bare + small.edit["keras"].median
    yield Row(
        *ROWS[1],
        f"{preview}; {keras}; {large.answer / 1000:.0f} kB",
        f"{multiple(preview.median, small.edit['paint'].median)} and "
        f"{multiple(keras.median, small.edit['keras'].median)} the same at 255×384; a map has {large.pixels} pixels on "
        "screen",
        f"≤ 2 × of 255×384; ≤ {allowed:.0f} ms; ≤ 1.5 × the pixels + 4 kB",
        preview.median <= 2 * small.edit["paint"].median
        and keras.median <= allowed
        and large.answer <= 1.5 * large.pixels + 4000,
    )
    kernel, page = large.kernel - small.kernel, large.page - small.page
    yield Row(
        *ROWS[2],
        f"kernel {kernel:.0f} MB, page {page:.0f} MB",
        f"{kernel / GREY:.1f} × and {page / GREY:.1f} × the image in grey as float32 ({GREY:.0f} MB)",
        "≤ 10 × and ≤ 3 ×",
        kernel <= 10 * GREY and page <= 3 * GREY,
    )


def save(bench: Bench) -> dict[str, str]:
    """Write a photograph at both sizes as JPEG, with a sensor's noise; return the paths."""
    import numpy as np
    from PIL import Image

    picture = Image.fromarray(photographs()[-2])
    paths = {}
    for name, (rows_, cols) in {"large": LARGE, "small": SMALL}.items():
        scaled = np.asarray(picture.resize((cols, rows_), Image.Resampling.BICUBIC), np.float32)
        noisy = scaled + np.random.default_rng(0).normal(scale=4, size=scaled.shape).astype(np.float32)
        paths[name] = str(bench.folder / f"{name}.jpg")
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(paths[name], quality=92)
    return paths


def measure(bench: Bench, files: dict[str, str], size: str) -> Found:
    """Open the file in notebooks of their own, Keras imported; edit and measure memory in the last."""
    seen, steps = [], []
    for last in [*[False] * (ROUNDS - 1), True]:
        notebook = bench.lab.open([LENS.format(path=files[size])])
        try:
            notebook.python.run(BARE.format(**files) + RESIDENT)
            steps.append(notebook.python.value(f"bare({files[size]!r})"))
            seen.append(call(notebook.page, "firstSight", maps=4)["keras"])
            if last:
                edit = stages(edits(notebook.page, gap=1000, count=12))
                answer, pixels = notebook.python.value(ANSWER), notebook.page.evaluate(PIXELS)
                kernel, page = sizes(notebook)
        finally:
            bench.lab.leave(notebook)
    return Found(statistics.median(seen), statistics.median(steps), edit, answer, pixels, kernel, page)
