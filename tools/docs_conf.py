# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx configuration for `make docs`."""

from __future__ import annotations

import pathlib
import re
import typing as t
import zlib

project = title = html_short_title = "entra.auth"
copyright = "2026, entra.auth contributors"  # noqa: A001 (the name is Sphinx's)

extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
html_theme = "sphinx_ansible_theme"
html_static_path = ["static"]
html_css_files = ["docs.css"]
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
html_show_sphinx = False
html_use_smartypants = True
html_use_index = False
html_copy_source = False
default_role = "any"
nitpicky = True

# The labels of Ansible's own documentation that are linked to. A list of our own needs no network, and links lead to
# the same pages. A new :ref: into that documentation needs its line here.
ANSIBLE_DOCS = "https://docs.ansible.com/projects/ansible/devel/"
ANSIBLE_LABELS = {
    "action_plugins": ("plugins/action.html#action-plugins", "Action plugins"),
    "ansible_configuration_settings": (
        "reference_appendices/config.html#ansible-configuration-settings",
        "Ansible Configuration Settings",
    ),
    "ansible_collections.ansible.builtin.copy_module": (
        "collections/ansible/builtin/copy_module.html#ansible-collections-ansible-builtin-copy-module",
        "ansible.builtin.copy",
    ),
    "ansible_collections.ansible.builtin.set_fact_module": (
        "collections/ansible/builtin/set_fact_module.html#ansible-collections-ansible-builtin-set-fact-module",
        "ansible.builtin.set_fact",
    ),
    "ansible_collections.ansible.builtin.set_fact_module__parameter-cacheable": (
        "collections/ansible/builtin/set_fact_module.html#parameter-cacheable",
        "cacheable",
    ),
    "ansible_collections.ansible.builtin.uri_module": (
        "collections/ansible/builtin/uri_module.html#ansible-collections-ansible-builtin-uri-module",
        "ansible.builtin.uri",
    ),
    "common_return_values": (
        "reference_appendices/common_return_values.html#common-return-values",
        "Return Values",
    ),
}

inventory = pathlib.Path(__file__).with_name("ansible.inv")
entries = "".join(f"{name} std:label -1 {page} {text}\n" for name, (page, text) in ANSIBLE_LABELS.items())
inventory.write_bytes(
    b"# Sphinx inventory version 2\n# Project: Ansible\n# Version: devel\n"
    b"# The remainder of this file is compressed using zlib.\n" + zlib.compress(entries.encode())
)


def name_changelog(app: t.Any, page: str, source: list[str]) -> None:
    """Replace the generated title of the changelog, which writes the collection's name with capitals."""
    if page == "changelog":
        source[0] = re.sub(r"=+\nEntra\.Auth Release Notes\n=+", "=========\nChangelog\n=========", source[0], count=1)


def setup(app: t.Any) -> None:
    """Connect the hook above; Sphinx calls this."""
    app.connect("source-read", name_changelog)


intersphinx_mapping = {"ansible_devel": (ANSIBLE_DOCS, str(inventory))}
