"""What a saved page answers without Python: a layer's input, the model's output, a training, a survey's images.

All of it is bounded, so that a page stays small; the page says what was left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from convlens.maths.block_means import fitted
from convlens.protocol.interpretations import excited_record
from convlens.protocol.output_maps import output_maps_record, output_pictures
from convlens.protocol.record_types import (
    ExcitedRecord,
    PredictionRecord,
    SavedAnswers,
    SavedOutputRecord,
    SnapshotWeights,
)
from convlens.protocol.records import prediction_record
from convlens.state.session import Session
from convlens.state.snapshots import Snapshot
from convlens.state.training import Follower

if TYPE_CHECKING:
    from convlens.surveys.results import Survey

#: Bytes of each before they are packed, which adds a third: both together are about 1.2 MB of a page.
SNAPSHOT_BYTES, SURVEY_BYTES = 192 * 1024, 640 * 1024
#: Snapshots of a page, more than a slider of its size can separate, and bytes of a prediction.
MOST_SNAPSHOTS, PREDICTION_BYTES = 100, 64 * 1024
#: Bytes of an output that is a picture, and pixels that each of its channels is reduced to.
OUTPUT_BYTES, OUTPUT_PIXELS = 288 * 1024, 128 * 128
#: Bytes of the input of a layer inside a model, from which the page previews edits. Zeros after ReLU pack well.
INPUT_BYTES = 4 * 1024 * 1024
#: What the numbers and names of one stored image take.
ABOUT_IMAGE = 200


def saved_answers(session: Session, survey: Survey | None, follower: Follower) -> dict[str, Any]:
    """Return the values of ``_training`` and ``_saved`` for a page without Python.

    Parameters
    ----------
    session
        What the lens holds; it has caught up with the user's model.
    survey
        The lens's survey.
    follower
        What followed the training of the open layer.
    """
    planes, held, left_out = _input(session)
    prediction, without = _prediction(session)
    left_out += without
    outputs, without = _outputs(session)
    left_out += without
    training, snapshots, without = _snapshots(session, follower)
    left_out += without
    excited, without = _excited(session, survey)
    left_out += without
    saved: SavedAnswers = {
        "input": planes,
        "predictions": prediction,
        "outputs": outputs,
        "snapshots": snapshots,
        "excited": excited,
        "held": held,
        "left_out": f"Not in this page, which is kept small: {', '.join(left_out)}." if left_out else "",
    }
    return {"_training": training, "_saved": saved}


def _input(session: Session) -> tuple[bytes | None, str, list[str]]:
    """Return what the layer is fed, a sentence on its size, and what is left out.

    Of a layer that is fed the image the page has it already.
    """
    geometry = session.geometry
    if session.plan.feeds_image or not (geometry.previewable or geometry.explainable):
        return None, "", []
    rows, cols, channels = geometry.input_shape
    size = 4 * rows * cols * channels
    what = f"the layer's input, {rows} × {cols} × {channels}, {size / 1e6:.3g} MB"
    if size > INPUT_BYTES:
        return None, "", [f"{what}, without which no edit is previewed here"]
    planes = np.moveaxis(session.engine.layer.input, -1, 0).astype("<f4")
    return planes.tobytes(), f"In this page for previews: {what} before it is packed.", []


def _prediction(session: Session) -> tuple[PredictionRecord | None, list[str]]:
    found = session.predicted
    record = None if found is None else prediction_record(found)
    if record is not None and len(record["before"]) > PREDICTION_BYTES:
        return None, ["the prediction"]
    return record, []


def _outputs(session: Session) -> tuple[list[SavedOutputRecord], list[str]]:
    """Return the channels of an output that is a picture, as many as there is room for, from the first on."""
    pictures = output_pictures(session.source, session.predicted)
    if pictures is None:
        return [], []
    rows, cols, channels = pictures[0].shape
    shape = fitted(rows, cols, OUTPUT_PIXELS)
    # Three maps, each with as many flags at most.
    kept = min(channels, OUTPUT_BYTES // (6 * shape[0] * shape[1]))
    missing = [f"{channels - kept} of {channels} channels of the model's output"] if kept < channels else []
    records = [cast("SavedOutputRecord", output_maps_record(pictures, channel, shape)) for channel in range(kept)]
    # So that they can be read: a number is never read back from 8 bits.
    if 8 * rows * cols * kept <= PREDICTION_BYTES:
        for record, both in zip(records, np.moveaxis(np.stack(pictures), -1, 0), strict=False):
            record["values"] = both.astype("<f4").tobytes()
    return records, missing


def _snapshots(session: Session, follower: Follower) -> tuple[dict[str, Any] | None, list[SnapshotWeights], list[str]]:
    """Return the record of the training with the snapshots that are chosen, their weights, and what is left out."""
    record, snapshots, filters = follower.record(), follower.snapshots, session.filters
    if record is None:
        return None, [], []
    each = 4 * len(filters) * (int(np.prod(filters.kernel_shape)) + 1)
    most = min(len(snapshots), MOST_SNAPSHOTS, SNAPSHOT_BYTES // each)
    # The page edits no parts of a separable filter, and so shows no others either.
    if most < min(2, len(snapshots)) or filters.pointwise is not None or not _alike(session, snapshots):
        return None, [], ["the snapshots of the training"]
    shown = record["shown"]
    chosen = set(np.linspace(0, len(snapshots) - 1, most).round().astype(int).tolist())
    # What is shown is one of them, so that the page does not take it for an edit.
    order = sorted(chosen | ({shown} - {None}))
    training = record | {
        "running": False,
        "snapshots": [record["snapshots"][i] for i in order],
        "shown": None if shown is None else order.index(shown),
    }
    missing = len(snapshots) - len(order)
    left_out = [f"{missing} of {len(snapshots)} snapshots of the training"] if missing else []
    return training, [_weights(snapshots[i]) for i in order], left_out


def _alike(session: Session, snapshots: list[Snapshot]) -> bool:
    """Whether each snapshot has the weights of as many filters, of the size that they have now."""
    now = (len(session.filters), session.filters.kernel_shape)
    return all((len(one.filters), one.filters.kernel_shape) == now for one in snapshots)


def _weights(snapshot: Snapshot) -> SnapshotWeights:
    kernels = np.stack(snapshot.filters.kernels).astype("<f4")
    return {"kernels": kernels.tobytes(), "bias": snapshot.filters.bias.astype("<f4").tobytes()}


def _file_name(image: str) -> str:
    """Return an image's id without folders: where files lie is private in a page that others read."""
    return re.split(r"[\\/]", image)[-1]


def _excited(session: Session, survey: Survey | None) -> tuple[list[ExcitedRecord], list[str]]:
    """Return what the survey holds of each filter; where that is too much, about as many images of each."""
    if survey is None:
        return [], []
    kept: list[ExcitedRecord] = []
    room, stored, images = SURVEY_BYTES, 0, 0
    count = len(session.filters)
    for i in range(count):
        record, share = excited_record(session, survey, i), room // (count - i)
        best = record["best"]
        sizes = np.cumsum([len(record["original"]), *(ABOUT_IMAGE + len(one["picture"]) for one in best)])
        fits = int(np.searchsorted(sizes, share, side="right")) - 1
        stored += len(best)
        # A layer that was not surveyed has no images here, only a note that says so.
        if fits < min(1, len(best)):
            continue
        kept.append({**record, "best": [{**one, "image": _file_name(one["image"])} for one in best[:fits]]})
        images += fits
        room -= int(sizes[fits])
    missing = stored - images
    return kept, [f"{missing} of {stored} images that the survey holds of this layer's filters"] if missing else []
