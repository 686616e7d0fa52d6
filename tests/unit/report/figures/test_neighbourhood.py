import numpy as np

from syngeno.report.figures import neighbourhood


class TestEmbed:
    def test_near_samples_lie_together(self):
        rng = np.random.default_rng(1)
        middle = rng.normal(size=(2, 4, 5))
        sets = {
            name: (middle[k] + 0.1 * rng.normal(size=(30, 4, 5))).astype(np.float32)
            for name, k in (("training samples", 0), ("held-out samples", 0), ("far", 1))
        }
        places = neighbourhood.embed(sets, seed=1, most=20)
        assert all(one.shape == (20, 2) for one in places.values())
        mean = {name: one.mean(0) for name, one in places.items()}
        near, far = (np.linalg.norm(mean["training samples"] - mean[name]) for name in ("held-out samples", "far"))
        assert far > 5 * near


class TestDraw:
    def test_a_panel_for_each_generator(self):
        names = ("training samples", "held-out samples", "a", "b")
        places = {name: np.random.default_rng(1).normal(size=(9, 2)) for name in names}
        figure = neighbourhood.draw(places)
        assert [axis.get_title("left") for axis in figure.axes if axis.get_title("left")] == ["a", "b"]
        assert [len(one.get_offsets()) for one in figure.axes[0].collections] == [9, 9, 9]
