"""What a rule's result depends on in this library, as one hash.

Snakemake re-runs a job when its script changes, not when a module that the script imports does. The hash made
here goes into the rule's `params:` and closes the gap by content. It is taken over syntax trees without
docstrings, so that neither a comment nor a reworded docstring throws away a day of training. A module that renders
templates depends on them too: on the files of `templates/` beside it. Only the standard library is used: every
cluster job parses the Snakefile again.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).parents[1]

# How a failure is worded changes no result.
_WITHOUT_EFFECT = {"logs", "errors", "workflow.codehash", "models.catalogue"}


def of_script(script: Path, *extra: str) -> str:
    """Hash of all library modules that `script` (and the modules named in `extra`) import, however indirectly.

    Raises ValueError when a named module does not exist.
    """
    digest = hashlib.sha256()
    for name in closure(script, *extra):
        digest.update(f"{name}\n{_meaning(_path(name))}\n".encode())
        for template in _templates(_path(name)):
            digest.update(template.read_bytes())
    return digest.hexdigest()[:16]


def closure(script: Path, *extra: str) -> list[str]:
    """The modules behind `of_script`: dotted names below `syngeno`, sorted; raises as it does."""
    names: set[str] = set()
    waiting = [*_imports(script), *extra]
    while waiting:
        name = waiting.pop()
        if name in names or name in _WITHOUT_EFFECT:
            continue
        path = _path(name)
        if not path.exists():
            raise ValueError(f"{script.name} depends on syngeno.{name}, which does not exist")
        names.add(name)
        waiting.extend(_imports(path))
    return sorted(names)


def _path(name: str) -> Path:
    """Where the module of a dotted name below `syngeno` lies."""
    return LIBRARY / f"{name.replace('.', '/')}.py"


def _templates(path: Path) -> list[Path]:
    """The templates beside a module that renders some, in the order of their names."""
    imported = {alias.name for node in ast.walk(_tree(path)) if isinstance(node, ast.Import) for alias in node.names}
    return sorted((path.parent / "templates").glob("*")) if "jinja2" in imported else []


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def _imports(path: Path) -> tuple[str, ...]:
    """Dotted names, below `syngeno`, of the library modules that a file imports."""
    names = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom):
            names += _modules(node.module or "", [alias.name for alias in node.names])
        elif isinstance(node, ast.Import):
            names += [name for alias in node.names for name in _modules(alias.name, [])]
    return tuple(names)


def _modules(module: str, imported: list[str]) -> list[str]:
    """The modules behind `from module import imported`: module itself, or what is imported from a package."""
    top, _, name = module.partition(".")
    if top != "syngeno":
        return []
    if name and not (LIBRARY / name.replace(".", "/")).is_dir():
        return [name]
    return [f"{name}.{member}".lstrip(".") for member in imported]


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
