"""A survey on disk: one Parquet file, a row for each filter, complete at every moment."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convlens.surveys.best import Entry
from convlens.surveys.patches import Patch
from convlens.surveys.requirements import needed
from convlens.surveys.tally import Tallies, Tally

FILE = "survey.parquet"
_VERSION = 2
_KEY = b"convlens survey"


def write(folder: Path, tallies: Tallies, description: Mapping[str, Any]) -> int:
    """Write the tallies to a folder, beside what is there, and then put them in its place; return how many bytes.

    Parameters
    ----------
    folder
        Made where it is missing.
    tallies
        What to write.
    description
        How they were made; another run must agree with it to continue from here. JSON.
    """
    arrow, parquet = needed("pyarrow", "store="), needed("pyarrow.parquet", "store=")
    notes = {
        "version": _VERSION,
        "description": dict(description),
        "images": tallies.images,
        "skipped": list(tallies.skipped.items()),
        "done": sorted(tallies.done.items()),
        "layers": [[path, tally.filters, tally.top, tally.images] for path, tally in tallies.layers.items()],
    }
    rows = [_row(path, one, tally) for path, tally in tallies.layers.items() for one in range(tally.filters)]
    table = arrow.Table.from_pylist(rows, _schema(arrow)).replace_schema_metadata({_KEY: json.dumps(notes).encode()})
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{FILE}.{os.getpid()}.partial"
    try:
        parquet.write_table(table, beside)
        size = beside.stat().st_size
        beside.replace(folder / FILE)
    finally:
        beside.unlink(missing_ok=True)
    return size


def read(folder: Path) -> tuple[Tallies, dict[str, Any]]:
    """Return what `write` was given.

    Raises
    ------
    FileNotFoundError, ValueError
        When there is no survey in the folder, or one that this version cannot read.
    """
    arrow, parquet = needed("pyarrow", "Opening a survey"), needed("pyarrow.parquet", "Opening a survey")
    path = folder / FILE
    if not path.exists():
        raise FileNotFoundError(f"There is no survey in {str(folder)!r}: it has no file {FILE}.")
    try:
        table = parquet.read_table(path)
        notes = json.loads(table.schema.metadata[_KEY])
    except (arrow.ArrowInvalid, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{str(path)!r} is not a survey: {error}") from error
    if notes["version"] != _VERSION:
        raise ValueError(f"{str(path)!r} has version {notes['version']}; this convlens reads version {_VERSION}.")
    tallies = Tallies(
        images=notes["images"],
        skipped=dict(notes["skipped"]),
        done=dict(notes["done"]),
    )
    for name, filters, top, images in notes["layers"]:
        tallies.layers[name] = Tally(filters, top)
        tallies.layers[name].images = images
    for row in table.to_pylist():
        _restore(tallies.layers[row["layer"]], row)
    return tallies, notes["description"]


def _schema(arrow: Any) -> Any:
    entry = arrow.struct(
        [
            ("image", arrow.string()),
            ("number", arrow.bool_()),
            ("value", arrow.float64()),
            *((name, arrow.int32()) for name in ("row", "col", "top", "bottom", "left", "right")),
            ("patch", arrow.binary()),
            ("low", arrow.float64()),
            ("high", arrow.float64()),
        ]
    )
    return arrow.schema(
        [
            ("layer", arrow.string()),
            ("filter", arrow.int32()),
            ("best", arrow.list_(entry)),
            ("finite", arrow.int64()),
            ("active", arrow.int64()),
            ("mean", arrow.float64()),
            ("squares", arrow.float64()),
            ("bins", arrow.list_(arrow.int64())),
            ("counts", arrow.list_(arrow.int64())),
        ]
    )


def _row(path: str, one: int, tally: Tally) -> dict[str, Any]:
    bins, counts = tally.sketch.counts(one)
    best = [
        {
            "image": str(entry.image),
            "number": isinstance(entry.image, int),
            "value": entry.value,
            "row": entry.pixel[0],
            "col": entry.pixel[1],
            "top": entry.window[0][0],
            "bottom": entry.window[0][1],
            "left": entry.window[1][0],
            "right": entry.window[1][1],
            "patch": entry.patch.file,
            "low": entry.patch.low,
            "high": entry.patch.high,
        }
        for entry in tally.best.entries(one)
    ]
    return {
        "layer": path,
        "filter": one,
        "best": best,
        "finite": int(tally.finite[one]),
        "active": int(tally.active[one]),
        "mean": float(tally.mean[one]),
        "squares": float(tally.squares[one]),
        "bins": bins.tolist(),
        "counts": counts.tolist(),
    }


def _restore(tally: Tally, row: Mapping[str, Any]) -> None:
    one = row["filter"]
    entries = [
        Entry(
            int(entry["image"]) if entry["number"] else entry["image"],
            entry["value"],
            (entry["row"], entry["col"]),
            ((entry["top"], entry["bottom"]), (entry["left"], entry["right"])),
            Patch(entry["patch"], entry["low"], entry["high"]),
        )
        for entry in row["best"]
    ]
    tally.best.set_entries(one, entries)
    for name in ("finite", "active", "mean", "squares"):
        getattr(tally, name)[one] = row[name]
    tally.sketch.set_counts(one, row["bins"], row["counts"])
