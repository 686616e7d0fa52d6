import numpy as np
import pytest
import torch

from syngeno.errors import BadInput
from syngeno.models.haplotype import fitted
from unit.models.haplotype.test_hmm import rng_of
from unit.models.haplotype.test_prior import admixed_mosaics, some_mosaics
from unit.models.haplotype.test_unlinked import some_unlinked


class TestSaveAndLoad:
    def test_comes_back_as_it_was(self, tmp_path):
        before = some_mosaics(3)
        fitted.save(tmp_path / "clusters.npz", before)
        after = fitted.load(tmp_path / "clusters.npz")
        components = after.components
        assert (after.alphabet, components.label.tolist(), components.share.tolist()) == (
            3,
            ["a", "a", "b"],
            [0.3, 0.7, 1],
        )
        assert [one.variants for one in after.chromosomes] == [2, 1]
        for one, other in zip(before.chromosomes, after.chromosomes, strict=True):
            assert (one.symbol == other.symbol).all()
            assert (one.switch == other.switch).all()
            assert (one.weight == other.weight).all()

    def test_of_no_file_or_another(self, tmp_path):
        with pytest.raises(BadInput, match="no such file; run the fit stage again"):
            fitted.load(tmp_path / "none.npz")
        np.savez(tmp_path / "other.npz", x=1)
        (tmp_path / "text.npz").write_text("text")
        (tmp_path / "empty.npz").write_text("")
        (tmp_path / "cut.npz").write_bytes((tmp_path / "other.npz").read_bytes()[:50])
        for name in ("other", "text", "empty", "cut"):
            with pytest.raises(BadInput, match="holds no clusters of this version"):
                fitted.load(tmp_path / f"{name}.npz")

    @pytest.mark.parametrize("mosaics", [some_mosaics, admixed_mosaics, some_unlinked])
    def test_what_is_read_draws_the_same(self, tmp_path, mosaics):
        written = mosaics()
        fitted.save(tmp_path / "clusters.npz", written)
        read = fitted.load(tmp_path / "clusters.npz")
        for one, other in zip(vars(written.components).values(), vars(read.components).values(), strict=True):
            np.testing.assert_array_equal(one, other)
        drawn = [each.draw(each.origins(np.repeat("a", 9), rng_of(1)), rng_of(2)) for each in (written, read)]
        assert torch.equal(*drawn)
