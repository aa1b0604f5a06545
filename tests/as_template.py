# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Marking a text as a template, which ansible-core asks for from 2.19 on."""

from __future__ import annotations

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core 2.18 and older take any text

    def as_template(text: str) -> str:
        """The text as it is."""
        return text
else:

    def as_template(text: str) -> str:
        """The text, trusted to be a template of the test's author."""
        return trust_as_template(text)
