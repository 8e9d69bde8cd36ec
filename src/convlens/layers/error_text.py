"""The text of Keras's errors, without what is meant for terminals and for Keras's developers."""

from __future__ import annotations

import re

from convlens.maths.limits import ERROR


def plain_text(error: BaseException) -> str:
    """Return an error's text without what Keras and TensorFlow put in for terminals and for logs."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)[: 10 * ERROR])
    text = re.sub(r"\{\{[^}]*\}\}\s*|\s*\[Op:[^\]]*\]( name:\s*)?", "", text).strip()
    return text if len(text) <= ERROR else text[: ERROR - 3] + "..."


def what_is_wrong(error: BaseException) -> str:
    """Return the part of an error's text that says what is wrong, without where in Keras and with which arguments."""
    text = plain_text(error).partition("Arguments received by")[0]
    paragraphs = [part.strip() for part in text.split("\n\n")]
    told = [part for part in paragraphs if part and not part.startswith("Exception encountered when calling")]
    sentence = (told or [text.strip() or type(error).__name__])[0]
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
