import re

import jinja2
import numpy as np
import pandas as pd
import pytest

from syngeno.report import html


class TestOutside:
    @pytest.mark.parametrize(("value", "mark"), [(0.3, "▼"), (0.4, ""), (0.5, ""), (0.6, ""), (0.7, "▲"), (np.nan, "")])
    def test_marks_the_side(self, value, mark):
        assert html.outside(value, 0.4, 0.6) == mark

    def test_a_difference_that_is_not_shown_is_none(self):
        assert html.outside(0.99996, 0.99999, 1.0) == ""
        assert html.outside(1.0, 1.0 - 1e-12, 1.0 - 1e-13) == ""

    def test_nothing_without_an_envelope(self):
        assert html.outside(0.3, np.nan, np.nan) == ""


class TestShort:
    @pytest.mark.parametrize(
        ("value", "text"),
        [(0.123456, "0.1235"), (2403.4, "2403"), (123456.7, "123457"), (2e-19, "0"), (-0.5, "-0.5"), (0, "0")],
    )
    def test_digits_that_matter_and_no_dust(self, value, text):
        assert html.short(value) == text


class TestFixed:
    @pytest.mark.parametrize(
        ("value", "interval", "text"),
        [
            (0.98765, (0.94, 1.03), "0.988"),
            (0.98765, (0.5, 1.5), "1.0"),
            (0.0123, (0.0, 0.05), "0.012"),
            (1234.5, (1000, 1400), "1234"),
            (-0.001, (-0.3, 0.4), "0.00"),
            (0.0, (0.0, 0.006), "0"),
            (0.4991234, (0.49911, 0.49913), "0.499"),
            (0.0003123, (0.0002, 0.0004), "0.00031"),
            (0.98765, (np.nan, np.nan), "0.988"),
            (np.nan, (0.0, 1.0), ""),
        ],
    )
    def test_digits_that_the_interval_lets_be_known(self, value, interval, text):
        assert html.fixed(value, interval) == text

    def test_the_first_interval_that_has_a_width_decides(self):
        assert html.fixed(0.98765, (np.nan, np.nan), (1.0, 1.0), (0.5, 1.5)) == "1.0"


class TestPicture:
    def test_the_question_and_the_caption_without_markup(self):
        picture = html.picture("LD", "**Does it decay?**\nBy ``ld_r2``,\nin pairs.\n", "<svg/>")
        assert picture == ("LD", "Does it decay?", "By ld_r2, in pairs.", "data:image/svg+xml;base64,PHN2Zy8+")


class TestNumber:
    def test_the_interval_or_the_note_below(self):
        assert html.number(0.2, 0.1, 0.3) == ("0.20", "0.10 to 0.30", "")
        assert html.number(0.23456, 0.1, 3.3) == ("0.2", "0.1 to 3.3", "")
        assert html.number(0.23456, np.nan, np.nan) == ("0.2346", "", "")
        assert html.number(0.23456, np.nan, np.nan, beside=(0.1, 0.15)) == ("0.235", "", "")
        assert html.number(0.2, 0.1, 0.3, "▲", "saturated", "outside") == ("0.20 ▲", "saturated", "outside")
        assert html.number(np.nan, 0.1, 0.3) == ("", "", "")


class TestFrame:
    def test_numbers_in_four_digits_and_what_is_missing_empty(self):
        data = pd.DataFrame({"name": ["a", "b"], "n": pd.array([12, None], "Int64"), "value": [0.123456, np.nan]})
        table = html.frame(data)
        assert table.head == ["name", "n", "value"]
        assert [(line.name, *(cell.text for cell in line.cells)) for line in table.lines] == [
            ("a", "12", "0.1235"),
            ("b", "", ""),
        ]


class TestSettings:
    def test_a_row_for_each_setting_however_deep(self):
        nested = {"kind": "x", "training": {"epochs": 3, "rates": {"first": 2e-4}}, "widths": [8, 4], "none": {}}
        rows = {line.name: line.cells[0].text for line in html.settings(nested).lines}
        assert rows == {
            "kind": "x", "training.epochs": "3", "training.rates.first": "0.0002", "widths": "8, 4", "none": "{}",
        }  # fmt: skip

    def test_words_as_in_a_run_file(self):
        rows = html.settings({"a": None, "b": True, "c": False, "d": 0, "e": 1}).lines
        assert [line.cells[0].text for line in rows] == ["null", "true", "false", "0", "1"]


class TestPage:
    def test_a_cell_with_its_style_and_its_small_text(self):
        cells = [html.number(0.2, 0.1, 0.3, "▲", "saturated", "outside"), html.Cell()]
        page = html.page("metrics", table=html.Table(["", "a", "b"], [html.Line("g", cells, "real")]))
        shown = '<td class="outside">0.20 ▲<span class="low">saturated</span></td><td></td></tr>'
        assert f'<tr class="real"><td class="name">g</td>{shown}' in page
        assert '<th class="name"></th><th>a</th><th>b</th>' in page

    def test_a_name_cannot_break_the_page(self):
        nasty = "<script>alert(1)</script>"
        table = html.Table([nasty, nasty], [html.Line(nasty, [html.Cell(nasty, nasty)])])
        page = html.page("metrics", table=table)
        assert "<script>" not in page
        assert page.count("&lt;script&gt;") == 5

    @pytest.mark.parametrize("template", [path.name for path in sorted(html.TEMPLATES.glob("*.j2"))])
    def test_no_template_marks_text_as_safe(self, template):
        text = (html.TEMPLATES / template).read_text()
        assert not re.search(r"\|\s*safe|autoescape|Markup", text)

    def test_content_that_is_missing_is_an_error(self):
        with pytest.raises(jinja2.UndefinedError):
            html.page("metrics")
        with pytest.raises(jinja2.TemplateNotFound):
            html.page("no_such_page")
