"""A program's beginning that makes `import keras` wait."""

#: `{wait}` is an expression that waits, and gives the text of the error that the import then ends with, or "". It waits
#: where a module's own code runs, as a slow import does: who waits in a finder holds the lock of all imports, and so
#: the thread that sends messages.
KERAS_WAITS = """
import importlib.abc, importlib.machinery, sys
class Waiting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "keras":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        run = spec.loader.exec_module
        def wait_and_run(module):
            text = {wait}
            if text:
                raise ImportError(text)
            run(module)
        spec.loader.exec_module = wait_and_run
        return spec
sys.meta_path.insert(0, Waiting())
"""
