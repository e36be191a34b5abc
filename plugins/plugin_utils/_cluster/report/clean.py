# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes data that machines sent safe to print: plain types, no secrets, only characters that XML allows."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

# What XML 1.0 forbids (section 2.2), and the signs that turn the direction of the text around them (a name could then read as another).
_UNPRINTABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u007f-\u009f\u202a-\u202e\u2066-\u2069]")
_MOST = 1e15
_SECRET = re.compile("password|passwd|passphrase|secret|token", re.IGNORECASE)


def clean_text(value: Any) -> str:
    """The value as text in which every character that XML forbids, or that reverses the text, is shown as U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", str(value))


def clean(value: Any) -> Any:
    """A copy of JSON-like data in plain Python types: text cleaned, keys that name a secret dropped, NaN and infinity as None."""
    if isinstance(value, Mapping):
        return {clean_text(key): clean(item) for key, item in value.items() if not _SECRET.search(str(key))}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [clean(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return clean_text(value)


def number(value: Any) -> float | None:
    """The value when it is a number that can be real, else None: what was not measured must not be drawn as a figure."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _MOST:
        return float(value)
    return None
