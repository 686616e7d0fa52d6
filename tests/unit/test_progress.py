import logging

import pytest

from syngeno import progress


class TestBatches:
    @pytest.mark.parametrize(("count", "sizes"), [(0, []), (4, [4]), (10, [4, 4, 2])])
    def test_all_samples_once(self, count, sizes):
        parts = list(progress.batches(logging.getLogger("test"), count, 4, "drawn"))
        assert [part.stop - part.start for part in parts] == sizes
        assert [sample for part in parts for sample in range(count)[part]] == list(range(count))

    def test_progress_is_logged(self, monkeypatch, caplog):
        monkeypatch.setattr(progress, "EVERY", -1.0)
        with caplog.at_level("INFO"):
            list(progress.batches(logging.getLogger("test"), 10, 8, "drawn"))
        assert [message.split(";")[0] for message in caplog.messages] == [
            "8 of 10 samples drawn",
            "10 of 10 samples drawn",
        ]
