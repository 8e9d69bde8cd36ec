"""Running the model beside Python's main thread, so that no edit waits for a prediction."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from convlens.layers.error_text import plain_text
from convlens.protocol.records import prediction_record

_log = logging.getLogger("convlens")

if TYPE_CHECKING:
    from convlens.models.conv_model import Predictions


class PredictionWorker:
    """Answers the newest of the browser's requests for predictions, one after the other.

    A run takes as long as the model does (a tenth of a second for a ResNet50 on a CPU). It happens in a thread that
    ends when there is no request left. Edits go on meanwhile; requests that arrive during a run are answered by one
    more run.

    Parameters
    ----------
    predict
        Runs the model with the weights of that moment.
    tell
        Sends a ``PredictionsMessage``.
    describe
        Returns a sentence on an output that the widget cannot show, None for any other.
    """

    def __init__(
        self,
        predict: Callable[[], Predictions],
        tell: Callable[[dict[str, Any]], None],
        describe: Callable[[Predictions], str | None] = lambda _: None,
    ) -> None:
        self._predict = predict
        self._tell = tell
        self._describe = describe
        self._lock = threading.Lock()
        self._request: dict[str, Any] | None = None
        self._thread: threading.Thread | None = None

    def ask(self, client: Any, seq: Any) -> None:
        """Run the model, for a browser's request."""
        with self._lock:
            self._request = {"client": client, "seq": seq}
            if self._thread is None:
                # Not a daemon: an interpreter that ends while TensorFlow computes would crash.
                self._thread = threading.Thread(target=self._work, name="convlens: predictions")
                self._thread.start()

    def wait(self) -> None:
        """Return when every request is answered."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._lock:
                request, self._request = self._request, None
                if request is None:
                    self._thread = None
                    return
            try:
                self._tell({"type": "predictions", **request, **self._outcome()})
            except Exception:  # the thread goes on: another request may have come
                _log.exception("Predictions could not be sent to the widget")

    def _outcome(self) -> dict[str, Any]:
        try:
            found = self._predict()
            note = self._describe(found)
        except Exception as error:  # shown in the widget, since this thread has no caller
            _log.exception("The model could not be run for its predictions")
            return {"predictions": None, "error": {"title": type(error).__name__, "text": plain_text(error)}}
        return {"predictions": prediction_record(found), **({"note": note} if note else {})}
