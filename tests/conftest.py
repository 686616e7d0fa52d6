"""The files that take longest come first: the short ones fill the gaps of the processes that share the tests."""

# `tiny` is made once for all; most of the others wait for it, so that not all of these begin with it.
FIRST = ["test_slurm.py", "test_paper.py", "test_chain.py", "test_shapes.py", "test_conda.py", "test_rerun.py"]


def pytest_collection_modifyitems(items):
    def place(item):
        unit = "unit" in item.path.parts
        return unit, len(FIRST) if unit or item.path.name not in FIRST else FIRST.index(item.path.name)

    items.sort(key=place)
