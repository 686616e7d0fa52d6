import pytest

from syngeno.errors import BadInput
from syngeno.workflow import regions


class TestParse:
    @pytest.mark.parametrize(
        ("text", "parsed"),
        [
            ("15:27000000-27100000", ("15", 27000000, 27100000)),
            ("chr15:27,000,000-27,100,000", ("chr15", 27000000, 27100000)),
            ("15:7-7", ("15", 7, 7)),
            ("15", ("15", None, None)),
            (15, ("15", None, None)),
        ],
    )
    def test_what_is_a_region(self, text, parsed):
        assert regions.parse(text) == parsed

    @pytest.mark.parametrize("text", ["", "15:", "15:100", "15:100-", "15:-5-9", "15:a-b", "15:1-2-3", "1 5", "15:,-,"])
    def test_what_is_none(self, text):
        with pytest.raises(BadInput, match=r"is no region; write 15:27000000-27100000, or 15"):
            regions.parse(text)

    @pytest.mark.parametrize("text", ["15:0-9", "15:10-9"])
    def test_what_holds_no_base(self, text):
        with pytest.raises(BadInput, match=f"'{text}' holds no base; count from 1"):
            regions.parse(text)
