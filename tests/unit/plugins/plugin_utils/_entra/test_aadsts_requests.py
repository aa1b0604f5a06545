# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The codes about what an app sends are all there, each in one row, with a sentence for every kind of proof."""

from __future__ import annotations

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._entra import aadsts_requests, hints

# Written out here, not read from the table, so that a row that gets lost is noticed.
# fmt: off
CODES = {
    "CREDENTIAL": [
        50006, 50012, 50017, 50027, 50032, 50048, 50099, 50120, 70002, 70023, 700021, 700023, 700024, 700025, 700027,
        700030, 900384, 1000502, 5002723, 7000214, 7000215, 7000216, 7000218, 7000222, 7000232,
    ],
    "FEDERATION": [
        50013, 70021, 70025, 240002, 500131, 500133, 700211, 700212, 700213, 700222, 700226, 700227, 700229, 5000811,
        7002121, 7002137, 7002138,
    ],
    "REQUEST": [
        28002, 28003, 50049, 50050, 51000, 51005, 70003, 70011, 90004, 90005, 90007, 90009, 90010, 90013, 90014, 90015,
        90016, 90023, 90043, 90056, 90100, 90102, 90107, 90117, 90121, 100040, 165900, 230109, 700022, 700038, 900144,
        900561, 901002, 1000610, 1000611, 1000612, 1000613, 1000614, 1002012, 1002016, 7000110, 7000113, 7000114,
        9002313,
    ],
}
# fmt: on


@pytest.mark.parametrize("table", CODES)
def test_every_code_of_a_table_is_known(table: str) -> None:
    codes = [code for codes, _cause, _fix in getattr(aadsts_requests, table) for code in codes]
    assert sorted(codes) == CODES[table]
    assert all(hints.find_code_hint([code]) for code in codes)


def test_a_fix_for_one_group_of_proofs_has_one_for_all_others() -> None:
    groups = {proof.group for proof in hints.PROOFS.values()} | {""}
    rows = (*aadsts_requests.CREDENTIAL, *aadsts_requests.FEDERATION, *aadsts_requests.REQUEST)
    for _codes, _cause, fix in rows:
        if not isinstance(fix, str):
            assert "" in fix
            assert set(fix) <= groups


def test_a_code_whose_first_sentence_hides_the_cause_is_known() -> None:
    assert set(hints.BY_CODE) >= aadsts_requests.VAGUE
