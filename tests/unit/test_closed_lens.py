"""A lens that was closed: it can be shown, says that it was closed, and leaves nothing behind."""

from __future__ import annotations

import collections
import contextvars
import gc
import weakref
from collections.abc import Callable
from typing import Any

import ipywidgets
import keras
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

from convlens import ConvLens
from convlens.widget.jupyter_internals import open_widgets

IMAGE = np.random.default_rng(0).random((6, 5)).astype(np.float32)

METHODS: dict[str, Callable[[ConvLens], Any]] = {
    "get_weights": lambda lens: lens.get_weights(),
    "set_weights": lambda lens: lens.set_weights([np.zeros((4, 4, 1, 4)), np.zeros(4)]),
    "set_kernel": lambda lens: lens.set_kernel(0, np.zeros((4, 4))),
    "add_kernel": lambda lens: lens.add_kernel(np.zeros((4, 4))),
    "remove_kernel": lambda lens: lens.remove_kernel(0),
    "move_kernel": lambda lens: lens.move_kernel(0, 1),
    "undo": lambda lens: lens.undo(),
    "redo": lambda lens: lens.redo(),
    "reset": lambda lens: lens.reset(),
    "apply": lambda lens: lens.apply(),
    "restore": lambda lens: lens.restore(),
    "callback": lambda lens: lens.callback(),
    "scrub": lambda lens: lens.scrub(0),
    "use_map": lambda lens: lens.use_map(0),
    "leave_map": lambda lens: lens.leave_map(),
    "explain": lambda lens: lens.explain(0, 0, 0),
    "diagnose": lambda lens: lens.diagnose(0),
    "maximize": lambda lens: lens.maximize(0),
    "attribution": lambda lens: lens.attribution(),
    "ablation": lambda lens: lens.ablation(),
    "plot": lambda lens: lens.plot(),
    "save_map": lambda lens: lens.save_map(0, "map.png"),
    "to_code": lambda lens: lens.to_code(),
    "to_html": lambda lens: lens.to_html(),
    "save_html": lambda lens: lens.save_html("lens.html"),
    "image": lambda lens: lens.image,
    "image =": lambda lens: setattr(lens, "image", IMAGE),
    "kernels =": lambda lens: setattr(lens, "kernels", [np.eye(2)]),
    "names =": lambda lens: setattr(lens, "names", list("abcd")),
    "bias =": lambda lens: setattr(lens, "bias", np.zeros(4)),
    "activations": lambda lens: lens.activations,
    "layer": lambda lens: lens.layer,
    "layers": lambda lens: lens.layers,
    "predictions": lambda lens: lens.predictions,
    "gradients": lambda lens: lens.gradients,
}


@pytest.fixture(scope="module")
def closed() -> ConvLens:
    lens = ConvLens(IMAGE)
    lens.close()
    return lens


@pytest.mark.parametrize("name", METHODS)
def test_every_method_says_that_the_lens_was_closed(
    closed: ConvLens, name: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuntimeError, match="This lens was closed"):
        METHODS[name](closed)
    assert not list(tmp_path.iterdir())


def test_the_list_above_has_every_public_method() -> None:
    own = {name for name in {**vars(ConvLens)} if not name.startswith("_") and callable(getattr(ConvLens, name))}
    not_for_users = {"close", "report", "greet", "between_cells", "suspend", "put_right"}
    assert own - not_for_users <= set(METHODS)


@pytest.mark.parametrize("close", [lambda lens: lens.close(), lambda _: ipywidgets.Widget.close_all()])
def test_showing_it_gives_a_line_of_text(close: Callable[[ConvLens], None], capsys: pytest.CaptureFixture[str]) -> None:
    lens = ConvLens(IMAGE)
    close(lens)
    lens._ipython_display_()
    assert "This lens was closed" in capsys.readouterr().out
    data, metadata = InteractiveShell.instance().display_formatter.format(lens)  # type: ignore[union-attr]
    assert (data, metadata) == ({}, {})  # displayed by itself, without an error
    assert "closed" in lens._repr_mimebundle_()[0]["text/plain"]
    lens.close()  # a second time


def test_what_was_closed_is_let_go_of_with_all_that_it_held() -> None:
    lens = ConvLens(IMAGE)
    held: list[weakref.ref[Any]] = [
        weakref.ref(lens),
        weakref.ref(lens._session),
        weakref.ref(lens._session.engine.layer),
    ]
    maps = weakref.ref(lens.activations)
    lens.observe(lambda change: None)
    lens.close()
    del lens
    gc.collect()
    assert [ref() for ref in (*held, maps)] == [None] * 4


def in_memory() -> collections.Counter[str]:
    """Count the package's objects and classes; anywidget makes a class for each widget."""
    gc.collect()
    kinds = (found if isinstance(found, type) else type(found) for found in gc.get_objects())
    return collections.Counter(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds if "convlens" in str(kind))


def test_lenses_that_were_edited_and_closed_leave_no_object_of_the_package_behind() -> None:
    model = keras.Sequential([keras.Input((6, 5, 1)), keras.layers.Conv2D(2, 3), keras.layers.Conv2D(2, 2)])

    def work() -> None:
        for lens in (ConvLens(IMAGE), ConvLens(IMAGE, model=model)):
            uid = lens._session.filters.uids[0]
            edit: dict[str, Any] = {
                "type": "edit",
                "edits": [{"uid": uid, "taps": {"index": [0], "value": [0.5]}}],
                "gesture": "a",
            }
            for number, request in enumerate((edit, {"type": "undo"}, {"type": "predict"}), 1):
                lens._handle_custom_msg({**request, "client": "page", "seq": number}, [])
            lens.image = IMAGE + 1
            for path in reversed(lens.layers):
                lens.layer_path = path
            assert lens.activations.size > 0
            lens._requests._worker.wait()
            lens.close()

    work()  # what is traced and imported once
    before = in_memory()
    for _ in range(3):
        work()
    assert in_memory() == before


def test_closing_it_leaves_no_widget_open() -> None:
    before = open_widgets()
    ConvLens(IMAGE).close()
    ConvLens(IMAGE, layout={"width": "300px"}).close()
    assert len(open_widgets()) == len(before)


def test_closing_it_leaves_a_layout_open_that_is_the_users_or_that_another_widget_has() -> None:
    mine = ipywidgets.Layout(width="300px")
    ConvLens(IMAGE, layout=mine).close()
    assert mine in open_widgets()
    lens = ConvLens(IMAGE)
    shared = lens.layout
    other = ipywidgets.HTML(layout=shared)
    lens.close()
    assert shared in open_widgets()
    for widget in (other, shared, mine):
        widget.close()


def test_a_closed_lens_that_a_notebook_keeps_lets_go_of_its_cell_and_of_what_answered_its_browsers() -> None:
    class Message:
        """What had the cell run; ipykernel keeps it in the cell's context."""

    parent: contextvars.ContextVar[Message] = contextvars.ContextVar("parent")
    message = Message()

    def cell(sent: Message) -> ConvLens:
        parent.set(sent)
        return ConvLens(IMAGE)

    lens = contextvars.copy_context().run(cell, message)
    lens._handle_custom_msg({"type": "code", "client": "page", "seq": 1, "framework": "numpy"}, [])
    held: list[weakref.ref[Any]] = [weakref.ref(message), *map(weakref.ref, lens._requests._reading.values())]
    assert len(held) > 10
    lens.close()
    del message
    gc.collect()
    assert [ref() for ref in held] == [None] * len(held)


def test_a_request_that_comes_after_all_is_answered_that_the_lens_was_closed() -> None:
    lens = ConvLens(IMAGE)
    answers: list[Any] = []
    lens._outgoing._send = lambda message, _: answers.append(message["content"])
    lens.close()
    for number, kind in enumerate(("hello", "undo", "stats"), 1):
        lens._handle_custom_msg({"type": kind, "client": "page", "seq": number}, [])
    told = [(one["seq"], one["ok"], one["error"]["text"]) for one in answers if one.get("type") == "answer"]
    assert told == [(number, False, "This lens was closed. Make another.") for number in (1, 2, 3)]


def test_the_weights_of_filters_that_are_gone_are_let_go_of() -> None:
    lens = ConvLens(IMAGE, [np.eye(2), np.ones((2, 2))])
    lens._outbox.table()
    gone = lens._session.filters[1]
    kernel = weakref.ref(gone.kernel)
    rev = lens._session.engine.rev(gone.uid)
    lens.remove_kernel(1)
    lens.undo()
    assert lens._session.engine.rev(gone.uid) > rev  # it goes on counting
    del gone
    # Nothing but the history, which ends with the lens, may keep them.
    lens.remove_kernel(1)
    lens._session.history = type(lens._session.history)(lens._session.history.present)
    gc.collect()
    assert kernel() is None
