# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges a rolling upgrade before it begins: what each stage of it would mean for the states, and what to do about it. Pure; unknown never passes."""
