# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lets the tests import the collection from the work tree when it is not inside an ansible_collections folder already, and says how much hypothesis tries."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

COLLECTION = Path(__file__).resolve().parents[2]

# No deadline: the machine may be busy. Generated intents are large, which is no sign of a slow test.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large], "database": None, "print_blob": True}
# Glance is for what is tried in full on another version. Quick says the same of the same code every time; long (HAFW_HYPOTHESIS=long) looks for what
# nobody has seen yet.
settings.register_profile("glance", max_examples=10, derandomize=True, **_COMMON)
settings.register_profile("quick", max_examples=100, derandomize=True, **_COMMON)
settings.register_profile("long", max_examples=3000, **_COMMON)


def pytest_configure() -> None:
    """Choose the profile, and find the collection."""
    settings.load_profile(os.environ.get("HAFW_HYPOTHESIS", "quick"))
    _install_collection()


def _install_collection() -> None:
    """Find the folder that holds ``ansible_collections``: above the tests, or a build folder with a link to the work tree."""
    if COLLECTION.parts[-3:-1] == ("ansible_collections", "hafirewall"):
        root = COLLECTION.parents[2]
    else:
        root = COLLECTION / "build" / "collections"
        link = root / "ansible_collections" / "hafirewall" / "cluster"
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(COLLECTION, target_is_directory=True)
    sys.path.insert(0, str(root))
    try:
        from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
    except ModuleNotFoundError:  # as on a node, which only gets module_utils; the collection's folders are found without it too
        return
    _AnsibleCollectionFinder(paths=[str(root)])._install()
