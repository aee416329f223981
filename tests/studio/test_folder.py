"""One process owns a data folder, and looks again before it spends."""

from __future__ import annotations

import pytest

from kling.studio.folder import DataFolder, FolderTaken
from kling.studio.ledger import LedgerError


def test_a_second_one_says_who_has_it(tmp_path):
    first = DataFolder(tmp_path / "data")
    with pytest.raises(FolderTaken, match=r"process [0-9]+"):
        DataFolder(tmp_path / "data")
    first.release()
    DataFolder(tmp_path / "data").release()


def test_an_empty_folder_that_somebody_made_is_closed_to_other_users(tmp_path):
    made, used = tmp_path / "made", tmp_path / "used"
    for path in (made, used):
        path.mkdir()
        path.chmod(0o755)
    (used / "history.csv").touch()  # somebody may share this one on purpose
    for path, mode in ((made, 0o750), (used, 0o755)):
        DataFolder(path).release()
        assert path.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("replaced", [False, True])
def test_with_the_lock_file_gone_nothing_is_spent(tmp_path, replaced):
    folder = DataFolder(tmp_path)
    folder.check()
    (tmp_path / ".lock").unlink()
    if replaced:
        DataFolder(tmp_path)  # the second studio that the lock is there to keep away
    with pytest.raises(LedgerError, match="deleted or replaced"):
        folder.check()


def test_an_order_after_the_lock_was_deleted_waits_and_says_why(bench):
    (bench.folder / ".lock").unlink()
    job = bench.order()
    bench.run_for(60)
    assert bench.kling.posts == []
    assert bench.job(job.id).state in {"intent", "waiting"}
    assert any("deleted or replaced" in hold.reason for hold in bench.studio.admission.holds)
