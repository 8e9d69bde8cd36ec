"""What tests share that need a Python process as Jupyter starts one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.deadlines import SECONDS

if TYPE_CHECKING:
    from tests.browser.python import Python


@pytest.fixture
def python(tmp_path: Path) -> Iterator[Python]:
    """A process of its own for one test (Jupyter's kernel), without a page."""
    from jupyter_client.manager import KernelManager

    from tests.browser.python import Python

    manager = KernelManager(kernel_name="python3", connection_file=str(tmp_path / "kernel.json"))
    manager.start_kernel(cwd=str(tmp_path))
    first = manager.blocking_client()
    first.start_channels()
    first.wait_for_ready(timeout=SECONDS)
    first.stop_channels()
    client = Python(tmp_path / "kernel.json")
    try:
        yield client
    finally:
        client.close()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
