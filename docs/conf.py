# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the guides and the reference of the plugins become HTML (make docs)."""

from __future__ import annotations

project = "hafirewall.cluster"
copyright = "2026, hafirewall.cluster contributors"  # the name that Sphinx reads
extensions = ["myst_parser", "sphinx_antsibull_ext"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]
html_theme = "alabaster"
html_theme_options = {"description": "Firewall clusters whose connections survive", "page_width": "1080px"}
nitpicky = False
suppress_warnings = ["intersphinx.external"]
