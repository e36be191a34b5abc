# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of OPNsense clusters: a product's rows, and no word of another platform."""

from __future__ import annotations

import pytest
import report_samples as samples
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report import as_html
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.picture_cluster import cluster_picture
from picture_reading import beyond, overlaps, read, texts
from test_report_pfsense import FOREIGN, full, own_words, rows_of


@pytest.mark.parametrize("status", ["pass", "fail", "warn", "error", "skipped"])
def test_a_page_of_opnsense_nodes_speaks_of_nothing_that_they_have_not(status):
    said = own_words(as_html(full(samples.opnsense(), status))).lower()
    assert [word for word in FOREIGN if word in said] == []
    assert "opnsense" in said and "carp" in said


def test_the_table_has_the_release_and_when_the_configuration_was_changed():
    rows = rows_of(samples.report(clusters=[samples.opnsense()]))
    assert (rows["Release"], rows["Kernel"]) == (["community 26.1.4"] * 2, ["14.3-RELEASE-p7"] * 2)
    assert rows["Sends its configuration to"] == ["198.51.100.131", "nobody"]
    assert [text.startswith("changed 2026-11-18") for text in rows["Configuration"]] == [True, True]
    assert not {"Versions", "Userland", "Checksum of the rules"} & set(rows)


def test_what_is_not_known_of_an_opnsense_node_reads_unknown():
    rows = rows_of(samples.report(clusters=[samples.opnsense(("active", None))]))
    unknown = ("Engine", "Running settings", "Host id", "State policy", "CARP demotion", "Sends its configuration to", "Release", "Configuration", "Pass rule")
    assert {label: rows[label][1] for label in unknown} == dict.fromkeys(unknown, "unknown")


def test_the_picture_names_the_product():
    root = read(cluster_picture("c", samples.opnsense(), []))
    assert {"primary, OPNsense community 26.1.4", "multicast 224.0.0.240", "pfsync running"} <= set(texts(root))
    assert overlaps(root) == beyond(root) == []
