# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that make CARP run as wanted, on a model of what they do."""

from __future__ import annotations

from typing import Any, Dict, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Address
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.carp_steps import Live, Place, Step, Vhid, live, steps
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Secret
from hypothesis import given
from hypothesis import strategies as st

IFCONFIG = """\
em0: flags=1008943<UP,BROADCAST,RUNNING,PROMISC,SIMPLEX,MULTICAST,LOWER_UP> metric 0 mtu 1500
\tether 52:54:00:00:0a:00
\tinet 10.1.0.2 netmask 0xffffff00 broadcast 10.1.0.255
\tinet 10.1.0.1 netmask 0xffffff00 broadcast 10.1.0.255 vhid 1
\tcarp: MASTER vhid 1 advbase 1 advskew 0 key "sekrit"
\t      peer 224.0.0.18 peer6 ff02::12
\tnd6 options=29<PERFORMNUD,IFDISABLED,AUTO_LINKLOCAL>
em1: flags=1008843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST,LOWER_UP> metric 0 mtu 1500
\tinet6 2001:db8::1 prefixlen 64 vhid 2
\tcarp: BACKUP vhid 2 advbase 2 advskew 100
\t      peer 192.0.2.3 peer6 ff02::12
\tnd6 options=21<PERFORMNUD,AUTO_LINKLOCAL>
"""
ONE = Vhid("lan", "em0", 1, 1, 0, ("10.1.0.1/24",), Secret("sekrit"), "224.0.0.18", "ff02::12")
TWO = Vhid("wan", "em1", 2, 2, 100, ("2001:db8::1/64",), None, "192.0.2.3", "ff02::12")


def commands(wanted: list[Vhid], now: Live, gone: Any = ()) -> list[str]:
    return [" ".join(step.argv) for step in steps(wanted, now, gone)]


def test_what_the_kernel_runs_is_read() -> None:
    found = live(IFCONFIG)
    assert [item._replace(name="") for item in found.instances.values()] == [ONE._replace(name=""), TWO._replace(name="")]
    assert (found.devices, found.no_ipv6) == (("em0", "em1"), ("em0",))
    assert found.addresses[0] == ("em0", Address("10.1.0.2/24", None))


def test_what_runs_as_wanted_needs_no_command() -> None:
    assert commands([ONE._replace(peer=None, peer6=None), TWO], live(IFCONFIG)) == []


def test_only_what_differs_is_set_and_the_peer_is_named_each_time() -> None:
    assert commands([ONE._replace(advskew=50, password=Secret("other")), TWO._replace(advbase=1)], live(IFCONFIG)) == [
        "ifconfig em0 vhid 1 advskew 50 pass other", "ifconfig em1 vhid 2 advbase 1 peer 192.0.2.3"]


def test_a_peer_is_set_and_taken_back() -> None:
    found = steps([ONE._replace(peer="10.1.0.3"), TWO._replace(peer=None)], live(IFCONFIG), [])
    assert [(" ".join(step.argv), " ".join(step.undo)) for step in found] == [
        ("ifconfig em0 vhid 1 peer 10.1.0.3", "ifconfig em0 vhid 1 mcast"), ("ifconfig em1 vhid 2 mcast", "ifconfig em1 vhid 2 peer 192.0.2.3")]


def test_before_freebsd_14_there_are_no_peers_to_compare() -> None:
    old = live("\n".join(line for line in IFCONFIG.splitlines() if "peer" not in line) + "\n")
    assert commands([ONE._replace(peer=None, peer6=None)], old) == []


def test_a_new_address_brings_its_id_and_comes_before_an_old_one_goes() -> None:
    found = steps([ONE._replace(addresses=("10.1.0.9/24",))], live(IFCONFIG), [(("em0", 1), "10.1.0.1/24")])
    assert [" ".join(step.argv) for step in found] == [
        "ifconfig em0 inet 10.1.0.9/24 vhid 1 advbase 1 advskew 0 pass sekrit alias", "ifconfig em0 inet 10.1.0.1 -alias"]
    assert " ".join(found[1].undo) == "ifconfig em0 inet 10.1.0.1/24 vhid 1 advbase 1 advskew 0 pass sekrit alias"


def test_an_address_leaves_its_old_id_before_it_comes_to_the_new_one() -> None:
    assert commands([ONE._replace(id=7)], live(IFCONFIG), [(("em0", 1), "10.1.0.1/24")]) == [
        "ifconfig em0 inet 10.1.0.1 -alias", "ifconfig em0 inet 10.1.0.1/24 vhid 7 advbase 1 advskew 0 pass sekrit alias"]


def test_a_password_longer_than_the_kernel_takes_is_compared_as_far_as_it_takes_it() -> None:
    long = IFCONFIG.replace("sekrit", "a" * 19)
    assert commands([ONE._replace(password=Secret("a" * 25))], live(long)) == []


def test_passwords_are_secret_words() -> None:
    found = steps([ONE._replace(password=Secret("new"), addresses=("10.1.0.1/24", "10.1.0.4/24"))], live(IFCONFIG), [])
    for word in (word for step in found for argv in (step.argv, step.undo) for word in argv if word in ("new", "sekrit")):
        assert isinstance(word, Secret)


# A model: ids with their settings, and addresses with the id that they belong to.

Kernel = Tuple[Dict[Place, Tuple[Any, ...]], Dict[Tuple[str, str], int]]
IDS = st.sampled_from([("em0", 1), ("em0", 2), ("em1", 1)])
HOSTS = st.lists(st.integers(1, 5), min_size=1, max_size=3, unique=True)


@st.composite
def clusters(draw: Any) -> list[Vhid]:
    """Ids with addresses of which each is on one of them only."""
    found, used = [], set()
    for device, number in draw(st.lists(IDS, unique=True, max_size=3)):
        hosts = [host for host in draw(HOSTS) if host not in used]
        used.update(hosts)
        if hosts:
            addresses = tuple("192.0.2.%d/24" % host for host in hosts)
            found.append(Vhid("x", device, number, draw(st.integers(1, 2)), draw(st.integers(0, 1)), addresses, Secret(draw(st.sampled_from("ab"))),
                              draw(st.sampled_from([None, "192.0.2.9"]))))
    return found


def run(kernel: Kernel, argv: list[str]) -> None:
    """As ifconfig of FreeBSD 14 does: the id first, then the address, and an id without addresses goes."""
    ids, addresses = kernel
    device, words = argv[1], iter(argv[2:])
    said: dict[str, str] = {}
    address, alias = None, True
    for word in words:
        if word in ("vhid", "advbase", "advskew", "pass", "peer", "peer6"):
            said[word] = next(words)
        elif word == "-alias":
            alias = False
        elif "." in word:
            address = word
    if "vhid" in said:
        place = (device, int(said["vhid"]))
        base, skew, key, _peer, _peer6 = ids.get(place, (1, 0, "", None, None))
        ids[place] = (int(said.get("advbase", base)), int(said.get("advskew", skew)), said.get("pass", key), said.get("peer", "224.0.0.18"), "ff02::12")
    if address is not None and alias:
        assert not any(other == address.partition("/")[0] for _device, other in addresses), "an address on two ids"
        assert "vhid" in said, "an address without CARP"
        addresses[device, address.partition("/")[0]] = int(said["vhid"])
    elif address is not None:
        number = addresses.pop((device, address))
        if not any((on, held) == (device, number) for (on, _host), held in addresses.items()):
            del ids[device, number]


def seen(kernel: Kernel) -> Live:
    ids, addresses = kernel
    instances = {}
    for (device, number), (base, skew, key, peer, peer6) in ids.items():
        own = tuple(host + "/24" for (on, host), held in addresses.items() if (on, held) == (device, number))
        instances[device, number] = Vhid("x", device, number, base, skew, own, Secret(key), peer, peer6)
    return Live(instances, (), ("em0", "em1"), ())


def went(before: list[Vhid], after: list[Vhid]) -> list[tuple[Place, str]]:
    kept = {(item.place, address) for item in after for address in item.addresses}
    return [(item.place, address) for item in before for address in item.addresses if (item.place, address) not in kept]


def do(kernel: Kernel, before: list[Vhid], after: list[Vhid]) -> list[Step]:
    found = steps(after, seen(kernel), went(before, after))
    for step in found:
        run(kernel, step.argv)
    return found


@given(clusters(), clusters())
def test_any_cluster_becomes_any_other_and_back_again(before: list[Vhid], after: list[Vhid]) -> None:
    kernel: Kernel = ({}, {})
    do(kernel, [], before)
    start = ({**kernel[0]}, {**kernel[1]})
    stays = {item.place for item in before if set(item.addresses) & {one for other in after if other.place == item.place for one in other.addresses}}
    found = steps(after, seen(kernel), went(before, after))
    for step in found:
        run(kernel, step.argv)
        assert stays <= set(kernel[0]), "an id that stays has gone in between"
    assert steps(after, seen(kernel), []) == []
    assert {place: item[:3] for place, item in kernel[0].items()} == {item.place: (item.advbase, item.advskew, item.password) for item in after}
    for step in reversed(found):
        run(kernel, step.undo)
    assert kernel == start
