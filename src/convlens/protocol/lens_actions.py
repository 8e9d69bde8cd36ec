"""What a request from the browser may make the lens do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from convlens.maths.diagnostics import Diagnostics
    from convlens.models.conv_model import Predictions


class LensActions(Protocol):
    """The side of `ConvLens` that requests use; its public methods, so that Python and browser mean the same."""

    names: Any
    image: Any
    survey: Any
    pixel: Any

    @property
    def model_id(self) -> str:
        """Identity of the widget's model."""

    @property
    def predictions(self) -> Predictions:
        """The model's output with its original and with the edited kernels."""

    def remove_kernel(self, i: int) -> None:
        """Remove filter `i` from the list."""

    def move_kernel(self, i: int, j: int) -> None:
        """Move filter `i` to the place `j` of the list."""

    def use_map(self, i: int) -> None:
        """Feed the layer with the map of filter `i`."""

    def leave_map(self, steps: int = 1) -> None:
        """Go back to what the layer was fed before."""

    def undo(self) -> None:
        """Take back the last edit."""

    def redo(self) -> None:
        """Repeat the edit that `undo` took back."""

    def reset(self) -> None:
        """Go back to the filters and settings that the lens was made with."""

    def scrub(self, i: int) -> None:
        """Show the weights of snapshot `i`."""

    def diagnose(self, i: int) -> Diagnostics:
        """Find out what the kernel of filter `i` does."""

    def to_code(self, framework: str = "keras") -> str:
        """Write a Python program that computes what the lens shows."""

    def to_html(self) -> str:
        """Write the lens as one page that needs no Python."""

    def set_from_browser(self, name: Any, value: Any) -> None:
        """Set a trait that the browser may set, or raise."""

    def greet(self, picture: Any, image_version: Any, resend: bool) -> None:
        """Take note of a front end: how it keeps pictures, and whether it missed messages."""

    def report(self, error: BaseException, title: str | None = None) -> None:
        """Show an exception in the widget, and log it with its traceback."""
