import re
from pathlib import Path

import pytest

from syngeno.report import contents

CAPTIONS = Path(__file__).parents[3] / "workflow/report"


class TestPlace:
    @pytest.mark.parametrize("titles", [contents.COHORT, contents.PAPER], ids=["cohort", "paper"])
    def test_sorted_as_text_they_stand_in_the_order_of_the_list(self, titles):
        labels = [contents.place(key)["labels"]["figure"] for key in titles]
        assert labels == sorted(labels)
        assert [label.strip() for label in labels] == list(titles.values())

    def test_a_page_per_generator_takes_no_number_that_another_has(self):
        assert not any(re.match(r" *\d", contents.place(key)["labels"]["figure"]) for key in contents.COHORT)

    def test_the_title_in_the_chapter_and_the_landing_page_first(self):
        first = {"category": "{cohort}", "labels": {"figure": " " * len(contents.COHORT) + "Start here"}}
        assert contents.place("landing") == first
        last = {"labels": {"figure": " Neighbourhoods (UMAP)"}, "subcategory": "{cohort}"}
        assert contents.place("paper_umap") == {"category": "The paper, reproduced", **last}

    def test_an_unknown_key(self):
        with pytest.raises(KeyError, match="no_such_figure"):
            contents.place("no_such_figure")

    def test_each_has_a_caption_and_each_caption_has_a_place(self):
        captions = {path.stem for path in CAPTIONS.glob("*.rst")} - {"workflow"}
        assert captions == {*contents.COHORT, *contents.PAPER}
        assert not {*contents.COHORT} & {*contents.PAPER}
