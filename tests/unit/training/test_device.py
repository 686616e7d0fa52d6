from syngeno.training import device


class TestMixedSeed:
    def test_differs_by_part_and_order(self):
        seeds = {device.mixed_seed(*parts) for parts in ((1,), (1, 0, 1), (1, 1), (1, 2), (2, 1))}
        assert len(seeds) == 5
        assert all(0 <= seed < 2**63 for seed in seeds)
