# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A piece of Microsoft Graph (Learn "Microsoft Graph REST API v1.0")."""

from __future__ import annotations

from . import apps, batch, drives, memberships, people, teams
from .service import graph

__all__ = ["apps", "batch", "drives", "graph", "memberships", "people", "teams"]
