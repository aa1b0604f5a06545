# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The codes about what a tenant holds, and about the service, are all there, each in one row."""

from __future__ import annotations

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._entra import aadsts_directory, hints

# Written out here, not read from the table, so that a row that gets lost is noticed.
# fmt: off
CODES = {
    "APPLICATION": [
        50001, 50003, 50007, 50010, 50029, 50059, 50105, 50124, 50128, 50146, 50194, 65001, 65002, 65004, 65005, 67003,
        70001, 90002, 90008, 90019, 90038, 90051, 90093, 90094, 90095, 90099, 90124, 90130, 100007, 221000, 500011,
        500014, 501051, 501241, 501461, 501621, 650052, 650054, 650056, 650057, 700011, 700016, 900021, 900023, 900382,
        900432, 900439, 1000031, 1000104, 5000224, 5000225, 7000112, 7000229, 9001023, 9002332, 9002341,
    ],
    "POLICY": [
        50002, 50005, 50072, 50074, 50076, 50078, 50079, 50086, 50097, 50127, 50129, 50131, 50155, 50158, 50161, 50170,
        50177, 50178, 50187, 53000, 53001, 53002, 53003, 53004, 53010, 53011, 54000, 90123, 135011, 500021, 500022,
        500212, 500213, 530032, 530034, 530035, 530084, 700020,
    ],
    "USER": [
        16000, 16003, 40008, 40009, 40010, 40015, 50014, 50020, 50034, 50053, 50055, 50056, 50057, 50058, 50064, 50085,
        50089, 50125, 50126, 50132, 50133, 50134, 50135, 50139, 50144, 50173, 50197, 50199, 51004, 54005, 70000, 70008,
        70016, 70018, 70019, 70020, 70043, 90027, 90072, 90119, 90120, 90125, 500207, 500208, 500341, 700003, 700005,
        700081, 700082, 700084,
    ],
    "TRANSIENT": [
        50000, 50033, 50042, 50043, 50087, 50088, 50166, 50196, 70012, 90006, 90012, 90024, 90033, 90036, 90055, 90085,
        90090, 90091, 90092, 165004, 220501,
    ],
}
# fmt: on


@pytest.mark.parametrize("table", CODES)
def test_every_code_of_a_table_is_known(table: str) -> None:
    codes = [code for codes, _cause, _fix in getattr(aadsts_directory, table) for code in codes]
    assert sorted(codes) == CODES[table]
    assert all(hints.find_code_hint([code]) for code in codes)
