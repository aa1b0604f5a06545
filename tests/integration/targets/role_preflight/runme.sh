#!/usr/bin/env bash
# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

set -eux

# The emulator is a part of the collection's tests; what it runs sees it in place of Microsoft.
export PYTHONPATH="${ANSIBLE_COLLECTIONS_PATH%%:*}/ansible_collections/entra/auth/tests"
python -m entra_emulator exec -- ansible-playbook -i localhost, -c local \
  -e '{"ansible_python_interpreter": "{{ ansible_playbook_python }}"}' play.yml "$@"
