import hashlib
from pathlib import Path

import pandas as pd
import pytest

from syngeno.errors import BadInput
from syngeno.workflow import download

TABLES = Path(__file__).parents[3] / "resources/download"
CONTENT = bytes(range(256)) * 5000
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "published"
    path.write_bytes(CONTENT)
    return path.as_uri()


@pytest.fixture(autouse=True)
def once(monkeypatch):
    """Half a minute is spent on waiting between tries otherwise."""
    monkeypatch.setattr(download, "CURL", [*download.CURL, "--retry", "0"])


class TestFetchAll:
    def test_brings_all_files(self, tmp_path, source):
        table = tmp_path / "table.tsv"
        lines = [f"{name}\t{source}\t{md5}\t{size}" for name, md5, size in (("a", MD5, ""), ("b", "", len(CONTENT)))]
        table.write_text("\n".join(["# from nowhere", "file\turl\tmd5\tbytes", *lines]) + "\n")
        assert download.fetch_all(table, tmp_path / "there", threads=2) == 2
        assert [(tmp_path / "there" / name).read_bytes() for name in "ab"] == [CONTENT, CONTENT]

    def test_one_that_is_wrong_ends_it(self, tmp_path, source):
        table = tmp_path / "table.tsv"
        table.write_text(f"file\turl\tmd5\tbytes\na\t{source}\t\t3\n")
        with pytest.raises(BadInput, match="3 were published"):
            download.fetch_all(table, tmp_path)


@pytest.mark.parametrize("table", sorted(TABLES.glob("*.tsv")), ids=lambda path: path.stem)
def test_shipped_tables_say_how_to_know_each_file(table):
    rows = pd.read_csv(table, sep="\t", dtype=str, keep_default_na=False, comment="#")
    assert rows["file"].is_unique and rows["url"].str.startswith("https://").all()
    assert (
        rows["md5"].str.fullmatch("[0-9a-f]{32}") | (rows["md5"].eq("") & rows["bytes"].str.fullmatch(r"\d+"))
    ).all()
    assert sum(rows["file"].str.endswith(".vcf.gz")) == 22


class TestFetch:
    def test_brings_the_file(self, tmp_path, source):
        path = tmp_path / "new" / "file.vcf.gz"
        download.fetch(source, path, md5=MD5, size=len(CONTENT))
        assert path.read_bytes() == CONTENT
        assert [one.name for one in path.parent.iterdir()] == ["file.vcf.gz"]

    def test_goes_on_where_it_broke_off(self, tmp_path, source):
        """Other bytes at the beginning are left as they are: only the rest is fetched, and the checksum sees it."""
        path = tmp_path / "file"
        part = tmp_path / "file.part"
        part.write_bytes(CONTENT[:7000])
        download.fetch(source, path, md5=MD5)
        assert path.read_bytes() == CONTENT
        path.unlink()
        part.write_bytes(b"x" * 7000)
        with pytest.raises(BadInput, match=r"has the MD5 checksum .* was published; download again"):
            download.fetch(source, path, md5=MD5)
        assert not path.exists() and not part.exists()

    @pytest.mark.parametrize(("known", "match"), [({"size": 5}, "has 1280000 bytes, 5"), ({"md5": "0" * 32}, "MD5")])
    def test_refuses_what_was_not_published(self, tmp_path, source, known, match):
        path = tmp_path / "file"
        with pytest.raises(BadInput, match=match):
            download.fetch(source, path, **known)
        assert not path.exists()

    def test_takes_what_had_come_whole(self, tmp_path):
        """A server has nothing more to send of it, which is an error to curl."""
        (tmp_path / "file.part").write_bytes(CONTENT)
        download.fetch("file:///nowhere", tmp_path / "file", md5=MD5)
        assert (tmp_path / "file").read_bytes() == CONTENT

    def test_leaves_what_is_there(self, tmp_path):
        path = tmp_path / "file"
        path.write_bytes(CONTENT)
        download.fetch("file:///nowhere", path, md5=MD5)
        with pytest.raises(BadInput, match="move it away"):
            download.fetch("file:///nowhere", path, size=1)
        assert path.read_bytes() == CONTENT

    def test_says_what_does_not_come(self, tmp_path):
        with pytest.raises(BadInput, match=r"nowhere: curl: .*; try again"):
            download.fetch("file:///nowhere", tmp_path / "file")
