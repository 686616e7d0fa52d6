"""What a rule's result depends on in this library, as one hash.

Snakemake re-runs a job when its script changes, not when a module that the script imports does. The hash made
here goes into the rule's `params:` and closes the gap by content. It is taken over syntax trees without
docstrings, so that neither a comment nor a reworded docstring throws away a day of training. Only the standard
library is used: every cluster job parses the Snakefile again.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).parent

# How a failure is told changes no result.
_WITHOUT_EFFECT = {"log", "errors", "codehash"}


def of_script(script: Path, *extra: str) -> str:
    """Hash of all library modules that `script` (and the modules named in `extra`) import, however indirectly.

    Raises ValueError when a named module does not exist.
    """
    names: set[str] = set()
    waiting = [*_imports(script), *extra]
    while waiting:
        name = waiting.pop()
        if name in names or name in _WITHOUT_EFFECT:
            continue
        path = LIBRARY / f"{name}.py"
        if not path.exists():
            raise ValueError(f"{script.name} depends on syngeno.{name}, which does not exist")
        names.add(name)
        waiting.extend(_imports(path))
    digest = hashlib.sha256()
    for name in sorted(names):
        digest.update(f"{name}\n{_meaning(LIBRARY / f'{name}.py')}\n".encode())
    return digest.hexdigest()[:16]


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def _imports(path: Path) -> tuple[str, ...]:
    """Names of the library modules that a file imports."""
    names = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module == "syngeno":
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("syngeno."):
            names.append(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            names += [alias.name.split(".")[1] for alias in node.names if alias.name.startswith("syngeno.")]
    return tuple(names)


@cache
def _meaning(path: Path) -> str:
    """The syntax tree without docstrings, as text."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:]
    return ast.dump(tree)
