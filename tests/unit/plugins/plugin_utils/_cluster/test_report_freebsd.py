# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of FreeBSD clusters: pfsync and CARP, and nothing of a product's."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import report_samples as samples
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report import as_html
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.picture_cluster import cluster_picture
from picture_reading import beyond, overlaps, read, texts


def rows_of(report):
    [table] = [element for element in ElementTree.fromstring(as_html(report)).iter("table") if element.get("class") == "nodes"]
    return {row.find("th").text: [cell.text for cell in row.findall("td")] for row in table.iter("tr") if row.find("th") is not None and row.findall("td")}


def test_the_table_has_the_facts_of_freebsd_and_no_row_of_a_product():
    rows = rows_of(samples.report(clusters=[samples.freebsd()]))
    assert (rows["Release"], rows["Userland"], rows["Kernel"]) == (["14.2-RELEASE"] * 2, ["14.2-RELEASE-p1"] * 2, ["14.2-RELEASE"] * 2)
    assert (rows["First states"], rows["Checksum of the rules"]) == (["done"] * 2, ["4a1f5d7d0aa4f3b7f2b4fd1b40a4c0de"] * 2)
    assert (rows["Host id"], rows["CARP demotion"], rows["Virtual IPs held"]) == (["a0", "a1"], ["0", "0"], ["192.0.2.1", "none"])
    assert not {"Sends its configuration to", "Configuration", "Versions"} & set(rows)


def test_what_is_not_known_of_a_freebsd_node_reads_unknown():
    rows = rows_of(samples.report(clusters=[samples.freebsd(("active", None))]))
    unknown = ("Engine", "Running settings", "Host id", "State policy", "CARP demotion", "First states", "Checksum of the rules", "Release", "Userland")
    assert {label: rows[label][1] for label in unknown} == dict.fromkeys(unknown, "unknown")


@pytest.mark.parametrize(("network", "group"), [("198.51.100.128/28", "224.0.0.240"), ("2001:db8:5::/64", "ff12::f0")])
def test_the_picture_names_the_system_and_the_group_of_the_family(network, group):
    pair = samples.freebsd()
    for plan in pair["plans"].values():
        plan["state_sync"]["network"] = network
    root = read(cluster_picture("c", pair, []))
    assert {"primary, FreeBSD 14.2-RELEASE", f"multicast {group}", "pfsync running"} <= set(texts(root))
    assert overlaps(root) == beyond(root) == []
