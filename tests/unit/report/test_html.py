import numpy as np
import pytest

from syngeno.report import html


class TestOutside:
    @pytest.mark.parametrize(("value", "mark"), [(0.3, "▼"), (0.4, ""), (0.5, ""), (0.6, ""), (0.7, "▲"), (np.nan, "")])
    def test_marks_the_side(self, value, mark):
        assert html.outside(value, 0.4, 0.6) == mark

    def test_nothing_without_an_envelope(self):
        assert html.outside(0.3, np.nan, np.nan) == ""


class TestShort:
    @pytest.mark.parametrize(
        ("value", "text"),
        [(0.123456, "0.1235"), (2403.4, "2403"), (123456.7, "123457"), (2e-19, "0"), (-0.5, "-0.5"), (0, "0")],
    )
    def test_digits_that_matter_and_no_dust(self, value, text):
        assert html.short(value) == text


class TestNumber:
    def test_the_interval_or_the_note_below(self):
        assert "0.1 to 0.3" in html.number(0.2, 0.1, 0.3)
        noted = html.number(0.2, 0.1, 0.3, "▲", "saturated", "outside")
        assert noted == '<td class="outside">0.2 ▲<span class="low">saturated</span></td>'
        assert html.number(np.nan, 0.1, 0.3) == "<td></td>"


class TestPage:
    def test_a_name_cannot_break_the_page(self):
        nasty = "<script>alert(1)</script>"
        page = html.page(nasty, html.table([nasty, nasty], [html.line(nasty, [html.cell(nasty)])]))
        assert "<script>" not in page
        assert page.count("&lt;script&gt;") == 6
