"""Running the model beside the kernel's main thread, so that no edit waits for a prediction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convlens.models import Predictions


class Predicting:
    """Answers the newest of the browser's requests for predictions, one after the other.

    A run takes as long as the model does (a tenth of a second for a ResNet50 on a CPU). It happens in a thread that
    ends when nobody asks any more. Edits go on meanwhile, and what is asked meanwhile is answered by one run more.

    Parameters
    ----------
    predict
        Runs the model with the weights of that moment.
    tell
        Sends a ``PredictionsMessage``.
    """

    def __init__(self, predict: Callable[[], Predictions], tell: Callable[[dict[str, Any]], None]) -> None:
        self._predict = predict
        self._tell = tell
        self._lock = threading.Lock()
        self._asked: dict[str, Any] | None = None
        self._thread: threading.Thread | None = None

    def ask(self, client: Any, seq: Any) -> None:
        """Note that a front end wants to know."""
        with self._lock:
            self._asked = {"client": client, "seq": seq}
            if self._thread is None:
                # Not a daemon: an interpreter that ends while TensorFlow computes would crash.
                self._thread = threading.Thread(target=self._work, name="convlens: predictions")
                self._thread.start()

    def wait(self) -> None:
        """Return when all that was asked is answered."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._lock:
                asked, self._asked = self._asked, None
                if asked is None:
                    self._thread = None
                    return
            self._tell({"type": "predictions", **asked, **self._outcome()})

    def _outcome(self) -> dict[str, Any]:
        try:
            before, after = self._predict()
        except Exception as error:  # there is nobody else in this thread to show it
            return {"predictions": None, "error": {"title": type(error).__name__, "text": str(error)}}
        if before is None or after is None:
            return {"predictions": None}
        return {"predictions": {"before": before.tobytes(), "after": after.tobytes()}}
