# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft Entra's token endpoint, a piece of Microsoft Graph and of Azure Resource Manager, on loopback over TLS.

Run it with ``python -m entra_emulator`` (``tests`` on ``PYTHONPATH``); drive it from tests with
:class:`entra_emulator.client.Emulator`.  Nothing here is imported by the collection's own plugins.
"""

from __future__ import annotations
