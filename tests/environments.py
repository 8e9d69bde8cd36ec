"""Which tests also run in environments other than the main one, by what they depend on that differs there.

The whole suite runs on the main environment, in which everything is new. A file of tests is listed here when its result
could differ with another back end of Keras, another ipywidgets, or another Python; a file that is not listed runs on
the main environment only. Sweeps have a tenth of their size elsewhere: the main environment goes through all the
combinations of settings, and a version that differs does so in a few of them.

``tests/conftest.py`` marks the tests of each file, so that ``pytest -m backend`` works too.
"""

from __future__ import annotations

#: Keras, its back end and their versions: calls without side effects, layers, models, training, predictions, sums.
#: Runs on the lowest versions, on JAX and on PyTorch; Colab's Keras and TensorFlow lie between lowest and newest.
BACKEND = "backend"
#: ipywidgets, anywidget, traitlets and ipykernel: state, messages, threads of the kernel, outputs.
#: Runs on Colab's versions and on the lowest.
WIDGETS = "widget_versions"
#: Python, NumPy, Pillow and Matplotlib: what is read, drawn and written.
#: Runs on Colab's versions and on the lowest.
LIBRARIES = "python_version"

MARKERS = (BACKEND, WIDGETS, LIBRARIES)

#: What the tests of a file depend on.
DEPENDS: dict[str, tuple[str, ...]] = {
    "tests/test_environment.py": MARKERS,
    "tests/unit/test_attribution.py": (BACKEND,),
    "tests/unit/test_between_cells.py": (WIDGETS,),
    "tests/unit/test_chained.py": (BACKEND,),
    "tests/unit/test_closed_lens.py": (WIDGETS,),
    "tests/unit/test_codegen.py": (BACKEND,),
    "tests/unit/test_colors.py": (LIBRARIES,),
    "tests/unit/test_deep_networks.py": (BACKEND,),
    "tests/unit/test_dependent_maps.py": (BACKEND,),
    "tests/unit/test_explain.py": (BACKEND,),
    "tests/unit/test_explain_sweep.py": (BACKEND,),
    "tests/unit/test_export.py": (WIDGETS,),
    "tests/unit/test_fallback.py": (WIDGETS, LIBRARIES),
    "tests/unit/test_first_sight.py": (WIDGETS,),
    "tests/unit/test_image_depth.py": (LIBRARIES,),
    "tests/unit/test_image_forms.py": (LIBRARIES,),
    "tests/unit/test_images.py": (LIBRARIES,),
    "tests/unit/test_images_refused.py": (LIBRARIES,),
    "tests/unit/test_interpretation_requests.py": (BACKEND,),
    "tests/unit/test_jupyter_internals.py": (WIDGETS,),
    "tests/unit/test_keras_internals.py": (BACKEND,),
    "tests/unit/test_kernels.py": (LIBRARIES,),
    "tests/unit/test_latent_vectors.py": (BACKEND,),
    "tests/unit/test_layer_kinds.py": (BACKEND,),
    "tests/unit/test_layer_weights.py": (BACKEND,),
    "tests/unit/test_layers.py": (BACKEND,),
    "tests/unit/test_layers_in_models.py": (BACKEND,),
    "tests/unit/test_lens.py": (BACKEND, WIDGETS),
    "tests/unit/test_lens_model.py": (BACKEND, WIDGETS),
    "tests/unit/test_live_lists.py": (WIDGETS,),
    "tests/unit/test_maximize.py": (BACKEND,),
    "tests/unit/test_model_moved_on.py": (BACKEND,),
    "tests/unit/test_model_requests.py": (BACKEND, WIDGETS),
    "tests/unit/test_models.py": (BACKEND,),
    "tests/unit/test_models_refused.py": (BACKEND,),
    "tests/unit/test_models_that_reshape.py": (BACKEND,),
    "tests/unit/test_nothing_changes.py": (BACKEND,),
    "tests/unit/test_one_trace.py": (BACKEND,),
    "tests/unit/test_outputs_of_models.py": (BACKEND,),
    "tests/unit/test_plots.py": (LIBRARIES,),
    "tests/unit/test_receptive.py": (BACKEND,),
    "tests/unit/test_receptive_chains.py": (BACKEND,),
    "tests/unit/test_receptive_limits.py": (BACKEND,),
    "tests/unit/test_recorded_calls.py": (BACKEND,),
    "tests/unit/test_repeats.py": (WIDGETS,),
    "tests/unit/test_requests.py": (WIDGETS,),
    "tests/unit/test_runs_beside_threads.py": (BACKEND,),
    "tests/unit/test_settings_on_a_copy.py": (BACKEND,),
    "tests/unit/test_settings_tried.py": (BACKEND,),
    "tests/unit/test_several_inputs.py": (BACKEND,),
    "tests/unit/test_shared_traits.py": (WIDGETS,),
    "tests/unit/test_signal_layers.py": (BACKEND,),
    "tests/unit/test_signal_interpretation.py": (BACKEND,),
    "tests/unit/test_signal_survey.py": (BACKEND, LIBRARIES),
    "tests/unit/test_signals.py": (BACKEND,),
    "tests/unit/test_starting_picture.py": (BACKEND,),
    "tests/unit/test_survey.py": (BACKEND, LIBRARIES),
    "tests/unit/test_survey_cluster.py": (LIBRARIES,),
    "tests/unit/test_survey_store.py": (LIBRARIES,),
    "tests/unit/test_threads.py": (WIDGETS,),
    "tests/unit/test_to_code.py": (BACKEND,),
    "tests/unit/test_training.py": (BACKEND,),
    "tests/unit/test_training_ends.py": (BACKEND,),
    "tests/unit/test_tutorial.py": (BACKEND, LIBRARIES),
    "tests/unit/test_unusual_layers.py": (BACKEND,),
    "tests/unit/test_wire.py": (WIDGETS,),
    "tests/unit/test_written_files.py": (LIBRARIES,),
}

#: Long tests of these files that run on the main environment only, because what they depend on is not there.
MAIN_ONLY = (
    # Reads the graph of a network, and runs nothing of it.
    "tests/unit/test_receptive.py::test_a_networks_last_feature_map_has_the_published_receptive_field",
    # Runs the browser's code. What the same layers compute is compared with Keras in test_signal_layers.py everywhere.
    "tests/unit/test_signals.py::test_the_browsers_linear_update_of_a_signal_is_what_keras_computes",
    # Refused by their class; building a ConvLSTM takes JAX half a minute.
    "tests/unit/test_models_refused.py::test_clips_and_volumes_are_said_to_be_out_of_scope_with_what_opens",
    # With other versions of Dask, one survey that is the same as without it shows that all its calls are understood.
    "tests/unit/test_survey_cluster.py::test_a_run_that_is_interrupted_is_cancelled_and_can_be_resumed",
    "tests/unit/test_survey_cluster.py::test_a_worker_that_is_killed_in_the_middle_loses_nothing",
    # Dask 2024.8 warns of the scheduler that a bag is opened with.
    "tests/unit/test_survey_cluster.py::test_a_dask_bag_is_surveyed_where_its_partitions_are",
)


def markers_of(test: str) -> tuple[str, ...]:
    """Return what a test depends on, given as pytest names it: ``file::function[parameters]``."""
    file, _, _ = test.partition("::")
    return () if test.partition("[")[0] in MAIN_ONLY else DEPENDS.get(file, ())


def files(*markers: str) -> list[str]:
    """Return the files whose tests depend on any of these."""
    return [file for file, own in DEPENDS.items() if set(own) & set(markers)]
