# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in of pfSense boots as the product does, or halts as it does; and its node finds what is below its directory."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.layout import CARP_CONFIG, CONFIG
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import HaltedAtAssignment, PfsenseNode

RELEASES = ("2.6.0-RELEASE", "2.7.2-RELEASE", "2.8.1-RELEASE")
LAGG = "\t<laggs>\n\t\t<lagg><members>em1</members><laggif>lagg0</laggif><proto>failover</proto></lagg>\n\t</laggs>\n"
VLAN = "\t<vlans>\n\t\t<vlan><if>lagg0</if><tag>10</tag><vlanif>lagg0.10</vlanif></vlan>\n\t</vlans>\n"
HASYNC = "\t<hasync><pfsyncenabled>on</pfsyncenabled><pfsyncinterface>opt1</pfsyncinterface></hasync>\n"
ON_LAGG = CARP_CONFIG.replace("<if>em1</if>", "<if>lagg0</if>").replace("<if>em2</if>", "<if>lagg0.10</if>").replace(
    "\t<filter>", LAGG + VLAN + HASYNC + "\t<filter>")
Maker = Callable[..., PfsenseNode]


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    def make(release: str = "2.7.2-RELEASE", config: str = CONFIG) -> PfsenseNode:
        node = PfsenseNode(tmp_path / "node", release=release, config=config)
        node.kernel("pfsync", syncok=0)
        return node
    return make


@pytest.mark.parametrize("release", RELEASES)
def test_it_makes_laggs_then_vlans_then_interfaces_then_virtual_addresses_then_the_rest(make: Maker, release: str) -> None:
    node = make(release, ON_LAGG)
    node.boot()
    ran = node.journal("command")
    order = ["ifconfig lagg0 create", "ifconfig lagg0.10 vlan 10 vlandev lagg0 vlanpcp 0", "ifconfig em0 inet 203.0.113.2/24 alias",
             "ifconfig lagg0 vhid 10 advskew 0 advbase 1 pass nottobeseen", "ifconfig pfsync0 syncdev lagg0.10 -syncpeer up"]
    assert [ran.index(command) for command in order] == sorted(ran.index(command) for command in order)
    assert ran.index("pfctl -o basic -f /tmp/rules.debug") > ran.index(order[-1])
    assert node.journal("event")[-2:] == ["setup_gateways_monitor", "system_routing_configure"]
    held = {name: {entry["address"] for entry in interface["addresses"]} for name, interface in node.kernel("interfaces").items()}
    assert held == {"em0": {"203.0.113.2/24", "203.0.113.1/24"}, "em1": set(), "em2": set(), "lo0": {"127.0.0.1/8"},
                    "lagg0": {"192.0.2.2/24", "192.0.2.77/32", "192.0.2.1/24"}, "lagg0.10": {"198.51.100.129/28"}}
    assert not (node.root / "var/run/booting").exists() and 'LAN = "{ lagg0 }"' in (node.root / "var/standin/loaded_rules").read_text()


@pytest.mark.parametrize(("release", "switched"), [("2.6.0-RELEASE", ["1"] * 2), ("2.7.2-RELEASE", ["0", "1"])])
def test_carp_is_off_while_it_boots_since_2_7(make: Maker, release: str, switched: list[str]) -> None:
    node = make(release, CARP_CONFIG)
    node.boot()
    # Before, setting state synchronization up switches CARP on, once for the addresses and once for itself.
    assert [command[-1] for command in node.journal("command") if "carp.allow" in command] == switched
    assert node.kernel("sysctl")["net.inet.carp.allow"] == "1"


def test_what_only_the_kernel_knew_is_gone(make: Maker) -> None:
    node = make()
    for line in ("lagg3 create laggport em2", "em1 inet 192.0.2.99/32 alias", "em1 mtu 9000", "pfsync0 syncdev em2 defer up"):
        node.query(["ifconfig", *line.split()])
    node.query(["sysctl", "net.inet.carp.demotion=240"])
    before = node.kernel("sysctl")["kern.boottime"]
    node.kernel(carrier={"em0": False})
    node.boot()
    kernel = node.kernel()
    assert "lagg3" not in kernel["interfaces"] and kernel["interfaces"]["em1"]["mtu"] == 1500
    assert [entry["address"] for entry in kernel["interfaces"]["em1"]["addresses"]] == ["192.0.2.2/24"]
    assert (kernel["pfsync"]["syncdev"], kernel["pfsync"]["defer"], kernel["sysctl"]["net.inet.carp.demotion"]) == (None, False, "0")
    # The cable is not the kernel's.
    assert kernel["sysctl"]["kern.boottime"] != before and kernel["carrier"] == {"em0": False}


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(("config", "missing"), [
    (CONFIG.replace("<if>em1</if>", "<if>em7</if>"), "em7"),
    (CONFIG.replace("<filter>", VLAN.replace("lagg0", "em8") + "<filter>"), "em8"),
    (CONFIG.replace("<if>em2</if>", "<if>em2.10</if>"), "em2.10")])
def test_it_halts_where_a_port_or_the_parent_of_a_vlan_does_not_exist(make: Maker, release: str, config: str, missing: str) -> None:
    node = make(release, config)
    with pytest.raises(HaltedAtAssignment, match=f"^{missing}$"):
        node.boot()
    assert not node.journal("command") and node.kernel("interfaces")["em0"]["addresses"] == []


@pytest.mark.parametrize("release", RELEASES)
def test_with_a_mistyped_member_it_boots_and_is_dead_in_silence(make: Maker, release: str) -> None:
    node = make(release, ON_LAGG.replace("<members>em1<", "<members>em11<"))
    node.boot()
    assert "status: no carrier" in node.query(["ifconfig", "lagg0"]).stdout and not node.journal("notice", "log")
    assert node.kernel("interfaces")["lagg0"]["lagg"]["ports"] == []


def test_a_boot_that_dies_is_no_boot(make: Maker) -> None:
    node = make()
    node.switch(fatal_in="filter_configure_sync")
    with pytest.raises(NodeError, match="fatal error in filter_configure_sync"):
        node.boot()


def test_scripts_for_the_boot_are_started_with_the_nodes_programs_and_settings(make: Maker) -> None:
    node = make()
    program = '<?php require_once("config.inc"); require_once("functions.inc"); echo $config["system"]["hostname"], " ", standin_ifconfig("-l"), "\\n";'
    node.write_text("/root/look.php", program)
    node.write_text("/usr/local/etc/rc.d/b.sh", f'#!/bin/sh\necho "$1"\nphp -q {node.root}/root/look.php\n', 0o755)
    node.write_text("/usr/local/etc/rc.d/a.sh", "#!/bin/sh\necho never\n")
    (background,) = node.boot()
    assert background.wait(timeout=60) == 0
    assert (node.root / "tmp/bootup_messages").read_text() == "start\nfw1 em0 em1 em2 lo0 pfsync0\n"


def test_a_shell_finds_php_with_the_stand_ins_files_and_the_machines_own_extensions(make: Maker) -> None:
    node = make()
    node.write_text("/root/x.php", '<?php require_once("config.inc"); echo $config["version"], extension_loaded("xml") ? " xml" : "";')
    assert node.query(["sh", "-c", f"php -q {node.root}/root/x.php"]).stdout == "23.3 xml"


def test_files_are_written_and_removed_below_the_nodes_directory_and_told_without_it(make: Maker) -> None:
    node = make()
    assert node.write_text("/root/deep/x", "one\n", 0o600) and not node.write_text("/root/deep/x", "one\n", 0o600)
    assert ((node.root / "root/deep/x").read_text(), (node.root / "root/deep/x").stat().st_mode & 0o777) == ("one\n", 0o600)
    assert node.read_text("/root/deep/x") == "one\n" and node.remove("/root/deep/x") and not (node.root / "root/deep/x").exists()
    assert [(diff["before_header"], diff["after_header"]) for diff in node.diffs] == [("/root/deep/x", "/root/deep/x")] * 2
    assert not Path("/root/deep/x").exists()


def test_files_come_back_when_a_later_step_fails(make: Maker) -> None:
    node = make()
    node.write_text("/root/x", "one\n")
    with pytest.raises(NodeError, match="put back"), node.transaction():
        node.write_text("/root/x", "two\n")
        node.remove("/root/x")
        node.act(["ifconfig", "em9", "destroy"])
    assert (node.root / "root/x").read_text() == "one\n"


def test_in_check_mode_no_file_is_touched(make: Maker) -> None:
    node = make().again(check_mode=True)
    assert node.write_text("/root/x", "one\n") and not (node.root / "root/x").exists()
    assert node.diffs[0]["after_header"] == "/root/x"
