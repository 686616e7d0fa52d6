"""What a rule's result depends on in this library, as one hash.

Snakemake re-runs a job when its script changes, not when a module that the script imports does. The hash made
here goes into the rule's `params:` and closes the gap by content. It is taken over syntax trees without
docstrings, so that neither a comment nor a reworded docstring throws away a day of training. A module that renders
templates depends on them too: on the files of `templates/` beside it.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).parents[1]

# How a failure is worded, or what we call a release, changes no result.
_WITHOUT_EFFECT = {"logs", "errors", "version", "workflow.codehash", "models.catalogue"}
_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def of_script(script: Path, *extra: str) -> str:
    """Hash of all library modules that `script` (and the modules named in `extra`) import, however indirectly.

    Raises ValueError when a named module does not exist.
    """
    digest = hashlib.sha256()
    for name in closure(script, *extra):
        digest.update(name.encode() + _read(_path(name))[1])
    return digest.hexdigest()[:16]


def closure(script: Path, *extra: str) -> list[str]:
    """The modules behind `of_script`: dotted names below `syngeno`, sorted; raises as it does."""
    names: set[str] = set()
    waiting = [*_read(script)[0], *extra]
    while waiting:
        name = waiting.pop()
        if name in names or name in _WITHOUT_EFFECT:
            continue
        path = _path(name)
        if not path.exists():
            raise ValueError(f"{script.name} depends on syngeno.{name}, which does not exist")
        names.add(name)
        waiting.extend(_read(path)[0])
    return sorted(names)


def _path(name: str) -> Path:
    """Where the module of a dotted name below `syngeno` lies."""
    return LIBRARY / f"{name.replace('.', '/')}.py"


@cache  # each file is read once for all rules: the Snakefile is parsed anew by every cluster job
def _read(path: Path) -> tuple[list[str], bytes]:
    """The library modules that a file imports; a hash of its syntax tree without docstrings, and of its templates."""
    tree = ast.parse(path.read_text())
    names, renders = [], False
    for node in _statements(tree):
        if isinstance(node, ast.ImportFrom):
            names += _modules(node.module or "", [alias.name for alias in node.names])
        elif isinstance(node, ast.Import):
            names += [name for alias in node.names for name in _modules(alias.name, [])]
            renders |= any(alias.name == "jinja2" for alias in node.names)
        elif isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    digest = hashlib.sha256(ast.dump(tree).encode())
    for template in sorted((path.parent / "templates").glob("*")) if renders else []:
        digest.update(template.read_bytes())
    return names, digest.digest()


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """A syntax tree's statements, itself first; `ast.walk` visits ten times as many nodes, the expressions."""
    yield node
    for blocks in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, blocks, ()):
            yield from _statements(child)


def _modules(module: str, imported: list[str]) -> list[str]:
    """The modules behind `from module import imported`: module itself, or what is imported from a package."""
    top, _, name = module.partition(".")
    if top != "syngeno":
        return []
    if name and not (LIBRARY / name.replace(".", "/")).is_dir():
        return [name]
    return [f"{name}.{member}".lstrip(".") for member in imported]
