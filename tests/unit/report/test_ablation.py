import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from judged import judged, literature

from syngeno.report import ablation

mpl.use("Agg")

VARIANTS = {"Linkage": ["markov", "diffusion"], "Labels": ["independent", "pooled"]}


@pytest.fixture(scope="module")
def table():
    return pd.concat([judged(), literature()], ignore_index=True)


class TestFigure:
    @pytest.fixture
    def drawn(self, table):
        figure = ablation.figure(table, VARIANTS)
        yield figure
        plt.close(figure)

    def panel(self, drawn, title):
        return next(axis for axis in drawn.axes if axis.get_title(loc="left").startswith(title))

    def test_a_row_per_variant_under_its_title(self, drawn):
        labels = drawn.axes[0].get_yticklabels()
        told = ["Linkage", "markov", "diffusion", "Labels", "independent", "pooled"]
        assert [label.get_text() for label in labels] == told
        assert [label.get_fontweight() for label in labels] == ["bold", "normal", "normal"] * 2

    def test_points_stand_at_their_values_in_their_rows(self, drawn, table):
        axis = self.panel(drawn, "Privacy loss")
        found = {}
        for container in axis.containers:
            line = container.lines[0]
            found[round(line.get_ydata().mean())] = line.get_xdata().tolist()
        own = table[(table["metric"] == "privacy_loss") & (table["group"] == "all") & (table["variant"] == "")]
        own = own[own["seed"].isin(["1", "2"])]
        expected = {1: "markov", 2: "diffusion", 4: "independent", 5: "pooled"}
        assert found == {at: own.loc[own["generator"] == name, "value"].tolist() for at, name in expected.items()}

    def test_the_envelope_or_the_ceiling_stands_behind(self, drawn, table):
        assert len(self.panel(drawn, "Privacy loss").patches) == 1
        ceiling = self.panel(drawn, "Wasserstein")
        assert not ceiling.patches
        assert 1.459 in [line.get_xdata()[0] for line in ceiling.lines if len(line.get_xdata()) == 2]

    def test_only_panels_with_numbers(self, table):
        few = table[table["metric"].isin(["ld_r", "privacy_loss"])]
        figure = ablation.figure(few, VARIANTS)
        assert [axis.get_title(loc="left") for axis in figure.axes] == ["LD r", "Privacy loss"]
        plt.close(figure)

    def test_without_numbers_it_says_so(self, table):
        figure = ablation.figure(table, {"Others": ["unjudged"]})
        assert "None of the variants" in figure.axes[0].texts[0].get_text()
        plt.close(figure)


class TestPage:
    def test_says_the_numbers_of_the_figure(self, table):
        page = ablation.page(table, VARIANTS)
        own = table[(table["metric"] == "ld_r") & (table["group"] == "all") & (table["generator"] == "markov")]
        own = own[own["seed"].isin(["1", "2"]) & (own["variant"] == "")]
        row = page.split('<td class="name">markov</td>')[1].split("</tr>")[0]
        assert f"{own['value'].mean():.3f}" in row
        assert "▼" in row
        assert "1.459" in page.split("real against real")[1].split("</tr>")[0]
        assert page.count("<tr") == 1 + 1 + 6
