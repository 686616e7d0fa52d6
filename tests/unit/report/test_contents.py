from pathlib import Path

import pytest

from syngeno.report import contents

CAPTIONS = Path(__file__).parents[3] / "workflow/report"


class TestPlace:
    @pytest.mark.parametrize("titles", [contents.COHORT, contents.PAPER], ids=["cohort", "paper"])
    def test_sorted_as_text_they_stand_in_the_order_of_the_list(self, titles):
        labels = [contents.place(key)["labels"]["figure"] for key in titles]
        assert labels == sorted(labels)
        assert len({label[:2] for label in labels}) == len(titles) < 100

    def test_a_number_and_the_title_in_the_chapter(self):
        first = {"category": "{cohort}", "labels": {"figure": " 1 Privacy-utility trade-off"}}
        assert contents.place("tradeoff") == first
        second = {"labels": {"figure": " 2 Recovery rates"}, "subcategory": "{cohort}"}
        assert contents.place("paper_recovery") == {"category": "The paper, reproduced", **second}

    def test_an_unknown_key(self):
        with pytest.raises(KeyError, match="no_such_figure"):
            contents.place("no_such_figure")

    def test_each_has_a_caption_and_each_caption_has_a_place(self):
        captions = {path.stem for path in CAPTIONS.glob("*.rst")} - {"workflow"}
        assert captions == {*contents.COHORT, *contents.PAPER}
        assert not {*contents.COHORT} & {*contents.PAPER}
