# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A piece of Azure Resource Manager (Learn "Azure REST API", ARM RPC)."""

from __future__ import annotations

from . import polling, resources, subscriptions
from .service import arm

__all__ = ["arm", "polling", "resources", "subscriptions"]
