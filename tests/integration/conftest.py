# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How pytest-xdist distributes the plays among its processes."""

from __future__ import annotations

import functools
import typing as t

from xdist.scheduler import LoadScopeScheduling

if t.TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from xdist.remote import Producer


class PlayScheduling(LoadScopeScheduling):
    """Keeps the tests of a file in one process if they share a play, so that it runs once.

    Every other test goes to the first process that is free.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if _has_shared_fixture(self.config.rootpath / file) else nodeid


@functools.cache
def _has_shared_fixture(file: Path) -> bool:
    return 'scope="module"' in file.read_text(encoding="utf-8")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> PlayScheduling:
    """Return the scheduler for these tests."""
    return PlayScheduling(config, log)
