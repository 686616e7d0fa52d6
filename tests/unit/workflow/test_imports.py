"""Jobs load what they use: torch or matplotlib take longer to load than a small fit or a page takes."""

import ast
import subprocess
import sys

from syngeno.models import catalogue
from syngeno.workflow.codehash import LIBRARY

LIGHT = ["fit/fit_generator", "sample/draw", "report/write_landing", "report/write_officer_page", "report/write_audit"]


def test_neither_classical_fits_nor_pages_load_torch_or_matplotlib():
    statements = [
        ast.unparse(node)
        for script in LIGHT
        for node in ast.parse((LIBRARY.parent / f"{script}.py").read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    statements += [
        f"import syngeno.{kind.module}" for kind in catalogue.KINDS.values() if kind.model and not kind.trains
    ]
    statements.append("import sys; print({'torch', 'matplotlib', 'sklearn'} & set(sys.modules))")
    code = f"import sys; sys.path.insert(0, {str(LIBRARY.parent)!r})\n" + "\n".join(statements)
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert loaded.stdout.strip() == "set()", loaded.stderr
