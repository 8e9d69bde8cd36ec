"""Each environment of the test command is what it says it is."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path

import keras

import convlens
from tools.environments import ENVIRONMENTS
from tools.shell import ROOT


def test_keras_runs_on_the_back_end_that_the_tests_are_run_for() -> None:
    assert keras.config.backend() == os.environ["KERAS_BACKEND"]


def test_the_package_under_test_is_the_one_in_this_folder() -> None:
    assert Path(convlens.__file__).is_relative_to(ROOT / "src")


def test_what_is_installed_is_what_the_environments_lock_file_names() -> None:
    (environment,) = (place for place in ENVIRONMENTS if place.folder == Path(sys.prefix))
    lock = (environment.base or environment).lock.read_text()
    for name in ("anywidget", "keras", "tensorflow", "traitlets"):
        assert f"{name}=={version(name)} " in lock
    assert not environment.pythons or sys.version_info[:2] in environment.pythons
