# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A large configuration with what configurations of years hold: thousands of rules, aliases, VLANs, sections of packages, and content that is odd but legal."""

from __future__ import annotations

import base64
from typing import Iterator

from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.layout import CARP_CONFIG, SOURCE

# Entities of HTML, one inside the other, other alphabets, and nothing.
TEXTS = ("&lt;b&gt; &amp;amp; &quot;A&quot;", "\u0436\u0443\u043a", "caf&eacute; &euro;", "")
# On the Sync interface there is one rule that may drop the cluster's traffic, with this number.
BLOCKING = "0000001101"
_PACKAGE_TEXT = base64.b64encode(bytes(range(256)) * 16).decode("ascii")


def large(rules: int = 2000, packages: int = 1) -> str:
    """The configuration of the stand-in with CARP and so many rules, 300 aliases, 60 VLANs and packages, each with about 5 KB of settings."""
    aliases = "".join(f"<alias><name>a{number}</name><address>192.0.2.{number % 255}</address><descr><![CDATA[{TEXTS[number % 4]}]]></descr></alias>"
                      for number in range(300))
    vlans = "".join(f"<vlan><if>em1</if><tag>{number}</tag><pcp></pcp><vlanif>em1.{number}</vlanif></vlan>" for number in range(2, 62))
    sections = "".join(f"<package-{number}><config><enable>on</enable><custom_options>{_PACKAGE_TEXT}</custom_options>"
                       f"<descr><![CDATA[{TEXTS[number % 4]}]]></descr></config></package-{number}>" for number in range(packages))
    config = CARP_CONFIG.replace("<hostname>fw1</hostname>", (SOURCE / "odd.xml").read_text(encoding="utf-8").rstrip())
    separators = "".join(f"<sep{row}><row>fr{row}</row><text><![CDATA[{TEXTS[row]}]]></text></sep{row}>" for row in range(4))
    more = (f"<aliases>{aliases}</aliases><vlans>{vlans}</vlans><gateways>\n\t</gateways><cert>\n\t</cert>"
            f"<installedpackages>{sections}<package><name>one</name></package></installedpackages>")
    filters = f"{''.join(_rules(rules))}<separator><opt1>{separators}</opt1><lan></lan></separator></filter>"
    return config.replace("</filter>", filters).replace("<revision>", f"{more}<revision>", 1)


def _rules(count: int) -> Iterator[str]:
    for number in range(count):
        kind = "block" if f"{100 + number:010d}" == BLOCKING else "pass"
        yield (f"<rule><id></id><tracker>{100 + number:010d}</tracker><type>{kind}</type><interface>{('lan', 'wan', 'opt1')[number % 3]}</interface>"
               "<ipprotocol>inet</ipprotocol><tag></tag><tagged></tagged><max></max><max-src-nodes></max-src-nodes><max-src-conn></max-src-conn>"
               "<max-src-states></max-src-states><statetimeout></statetimeout><statetype>keep state</statetype><os></os>"
               f"{'<log></log>' if number % 7 else ''}<source><any></any></source><destination><any></any></destination>"
               f"<descr><![CDATA[{TEXTS[number % 4]} {number}]]></descr></rule>")
