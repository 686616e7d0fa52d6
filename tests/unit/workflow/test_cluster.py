from syngeno.workflow import cluster


def test_people_variants_and_the_largest_chromosome(tmp_path):
    (tmp_path / "samples.tsv").write_text("sample\tlabel\tsplit\na\tX\ttrain\nb\tX\ttest\n")
    (tmp_path / "variants.tsv").write_text("contig\tread\tunlinked\n1\t90\t7\n2\t80\t30\n")
    assert cluster.of_cohort(tmp_path) == (2, 37, 30)
