import shutil

import pytest

from syngeno.workflow import codehash


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library of three modules, a <- package.b, c apart; and a script that imports package.b."""
    codehash._read.cache_clear()
    monkeypatch.setattr(codehash, "LIBRARY", tmp_path)
    (tmp_path / "a.py").write_text('"""A."""\n\n\ndef one():\n    """Say one."""\n    return 1\n')
    (tmp_path / "package").mkdir()
    (tmp_path / "package/b.py").write_text("from syngeno.a import one\n\nTWO = one() + 1\n")
    (tmp_path / "c.py").write_text("THREE = 3\n")
    script = tmp_path / "script"
    script.write_text("from syngeno.package import b\nprint(b.TWO)\n")
    yield tmp_path, script
    codehash._read.cache_clear()


def rehash(script, *extra):
    codehash._read.cache_clear()
    return codehash.of_script(script, *extra)


class TestOfScript:
    def test_comments_and_docstrings_do_not_count(self, library):
        folder, script = library
        before = rehash(script)
        (folder / "a.py").write_text('"""Other words."""\n\n\ndef one():\n    # why\n    return 1\n')
        assert rehash(script) == before

    def test_a_change_in_an_indirect_import_counts(self, library):
        folder, script = library
        before = rehash(script)
        (folder / "a.py").write_text("def one():\n    return 11\n")
        assert rehash(script) != before

    @pytest.mark.parametrize("line", ["from syngeno.package.b import TWO", "import syngeno.package.b"])
    def test_every_way_to_import_counts(self, library, line):
        folder, script = library
        before = rehash(script)
        script.write_text(f"{line}\n")
        assert rehash(script) == before  # the script's own text is Snakemake's to watch
        (folder / "package/b.py").write_text("TWO = 3\n")
        assert rehash(script) != before

    def test_a_module_that_is_not_imported_does_not_count(self, library):
        folder, script = library
        before = rehash(script)
        (folder / "c.py").write_text("THREE = 33\n")
        assert rehash(script) == before
        assert rehash(script, "c") != before

    def test_a_module_that_does_not_exist(self, library):
        _, script = library
        with pytest.raises(ValueError, match=r"syngeno\.d, which does not exist"):
            rehash(script, "d")

    def test_the_templates_of_a_module_that_renders_them_count(self, library):
        folder, script = library
        (folder / "package/templates").mkdir()
        template = folder / "package/templates/page.html.j2"
        before = rehash(script)
        template.write_text("<p>one</p>")
        assert rehash(script) == before  # nothing renders it
        (folder / "package/b.py").write_text("import jinja2\n\nTWO = 2\n")
        rendered = rehash(script)
        template.write_text("<p>two</p>")
        assert rehash(script) != rendered
        (folder / "package/templates/other.html.j2").write_text("<p>other</p>")
        assert rehash(script) != rendered

    def test_the_pages_of_the_report_depend_on_their_templates(self, monkeypatch, tmp_path):
        script = codehash.LIBRARY.parent / "report/write_audit.py"
        shutil.copytree(codehash.LIBRARY, tmp_path / "syngeno")
        monkeypatch.setattr(codehash, "LIBRARY", tmp_path / "syngeno")
        before = rehash(script)
        with open(tmp_path / "syngeno/report/templates/audit.html.j2", "a") as file:
            file.write("<p>more</p>")
        assert rehash(script) != before
