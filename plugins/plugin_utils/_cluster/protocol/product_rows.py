# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The releases of pfSense and OPNsense, and the FreeBSD that each is built on, whose kernel decides what it sends and understands."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.rows import DERIVED, DOCUMENTED, UNVERIFIED, Range

_TABLE = "Netgate documentation of 2020, versions of pfSense and FreeBSD"
_ABI = "pfSense, package ABI FreeBSD:12 of its branches; the minor number is not verified"
_SNAPSHOT = "not verified: FreeBSD between two releases, whose kernel may be from before or after a format came"

PFSENSE_CE = (
    Range((1, 2, 3), (2, 0), _TABLE, DOCUMENTED, base="7.2"),
    Range((2, 0), (2, 1), _TABLE, DOCUMENTED, base="8.1"),
    Range((2, 1), (2, 2), _TABLE, DOCUMENTED, base="8.3"),
    Range((2, 2), (2, 3), _TABLE, DOCUMENTED, base="10.1"),
    Range((2, 3), (2, 4), _TABLE, DOCUMENTED, base="10.3"),
    Range((2, 4), (2, 4, 4), _TABLE, DOCUMENTED, base="11.1"),
    Range((2, 4, 4), (2, 4, 5), _TABLE, DOCUMENTED, base="11.2"),
    Range((2, 4, 5), (2, 5), _TABLE, DOCUMENTED, base="11.3-STABLE"),
    Range((2, 5), (2, 6), _ABI, DERIVED, base="12.2-STABLE"),
    Range((2, 6), (2, 7), _ABI, DERIVED, base="12.3-STABLE"),
    Range((2, 7), (2, 8), f"pfSense, package ABI FreeBSD:14; {_SNAPSHOT}", UNVERIFIED, base="14.0-CURRENT"),
    Range((2, 8), (2, 9), _SNAPSHOT, UNVERIFIED, base="15.0-CURRENT"),
    Range((2, 9), (2, 10), "not known: 16.0-CURRENT is expected; uname -r on the node tells", UNVERIFIED),
)
PFSENSE_PLUS = (
    Range((21, 2), (22, 1), "not verified: it goes with CE 2.5, which has package ABI FreeBSD:12", DERIVED, base="12.2-STABLE"),
    Range((22, 1), (23, 1), "Netgate, 2022-09-19: 12-STABLE until the release after it; the minor number is not verified", DERIVED, base="12.3-STABLE"),
    Range((23, 1), (24, 3), f"Netgate, 2022-09-19; {_SNAPSHOT}", UNVERIFIED, base="14.0-CURRENT"),
    Range((24, 3), (25, 7), _SNAPSHOT, UNVERIFIED, base="15.0-CURRENT"),
    Range((25, 7), (26, 1), _SNAPSHOT, UNVERIFIED, base="16.0-CURRENT"),
)

_NOTES = "OPNsense, release notes"
_BUSINESS = "of the business edition, by the community release that it is made from"


def _opnsense(series: tuple[int, int], base: str, source: str = _NOTES, pinnable: bool | None = None, emits: int | None = None) -> Range:
    year, month = series
    return Range(series, (year, month + 1), source, DOCUMENTED, base=base, pinnable=pinnable, emits=emits)


# Since 24.7 the format is a setting, whose default is 1400 (Hasync.xml; commits c1424c6425 and 575f9ccaab, issue 7485), on whatever kernel. An upgrade from
# before keeps 1301.
_SETTING = "OPNsense, release notes; Hasync.xml, pfsyncversion"
_DEFAULT = 1400
OPNSENSE = (
    _opnsense((15, 7), "10.1"), _opnsense((16, 1), "10.2"), _opnsense((16, 7), "10.3"),
    *(_opnsense(series, "11.0") for series in ((17, 1), (17, 7))), *(_opnsense(series, "11.1") for series in ((18, 1), (18, 7))),
    *(_opnsense(series, "HardenedBSD 11.2") for series in ((19, 1), (19, 7), (20, 1))),
    *(_opnsense(series, "HardenedBSD 12.1") for series in ((20, 7), (21, 1), (21, 4), (21, 7), (21, 10))),
    _opnsense((22, 1), "13-STABLE"), _opnsense((22, 4), "13-STABLE", f"{_NOTES} {_BUSINESS}"),
    *(_opnsense(series, "13.1") for series in ((22, 7), (23, 1))), *(_opnsense(series, "13.1", f"{_NOTES} {_BUSINESS}") for series in ((22, 10), (23, 4))),
    *(_opnsense(series, "13.2") for series in ((23, 7), (24, 1))), *(_opnsense(series, "13.2", f"{_NOTES} {_BUSINESS}") for series in ((23, 10), (24, 4))),
    _opnsense((24, 7), "14.1", _SETTING, True, _DEFAULT), _opnsense((24, 10), "14.1", f"{_SETTING}; {_BUSINESS}", True, _DEFAULT),
    _opnsense((25, 1), "14.2", _SETTING, True, _DEFAULT), _opnsense((25, 4), "14.2", f"{_SETTING}; {_BUSINESS}", True, _DEFAULT),
    _opnsense((25, 7), "14.3", _SETTING, True, _DEFAULT), _opnsense((25, 10), "14.3", f"{_SETTING}; {_BUSINESS}", True, _DEFAULT),
    _opnsense((26, 1), "14.3", f"{_SETTING}; src issue 327", True, _DEFAULT), _opnsense((26, 4), "14.3", f"{_SETTING}; {_BUSINESS}", True, _DEFAULT),
    Range((26, 7), (26, 7, 4), f"{_SETTING}; core issue 10829", DOCUMENTED, base="15.1", pinnable=True, emits=_DEFAULT),
    # A new installation begins with 1500 and an upgraded one keeps what it had, so what it sends is not known from the release.
    Range((26, 7, 4), (26, 8), f"{_SETTING}; release notes of 26.7.4; core issues 10829 and 10830", DOCUMENTED, base="15.1", pinnable=True),
)
