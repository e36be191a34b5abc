# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What travels on the Sync network, read from bytes: pfsync of FreeBSD and OpenBSD, conntrackd, and the frames and capture files around them.

Pure: bytes in, values out. What is read comes from whoever can reach the Sync network, so every length is checked against the bytes that are
there, and a decoder never raises. Standard library only, no import of Ansible.
"""

from __future__ import annotations
