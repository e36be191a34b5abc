# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter's door: it answers in a template, and a wrong node is a clear error there."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.hafirewall.cluster.plugins.filter import sync_compatibility

OLD, NEW = {"platform": "opnsense", "release": "24.1"}, {"platform": "opnsense", "release": "25.7"}


def template(variables: dict[str, Any], text: str) -> Any:
    """What a playbook would get."""
    # Templates of ansible-core since 2.19 are those that somebody vouches for; before, every text was one.
    try:
        from ansible.template import trust_as_template
    except ImportError:
        return Templar(loader=DataLoader(), variables=variables).template(text)
    return Templar(loader=DataLoader(), variables=variables).template(trust_as_template(text))


def test_the_filter_answers_in_a_template() -> None:
    answer = template({"old": OLD, "new": {**NEW, "emits": 1400}}, "{{ old | hafirewall.cluster.sync_compatibility(new) }}")
    assert (answer["a_to_b"], answer["b_to_a"], answer["lost"][0].split()[0]) == ("yes", "no", "route-to")
    assert (answer["pin"]["node"], answer["pin"]["format"]) == ("b", 1301)


def test_a_release_that_yaml_took_for_a_number_is_refused() -> None:
    variables = yaml.safe_load("{old: {platform: opnsense, release: 26.10}, new: {platform: opnsense, release: '26.7'}}")
    with pytest.raises(AnsibleFilterError, match="sync_compatibility: node_a.release: 26.1 is no text; write it between quotes"):
        sync_compatibility.sync_compatibility(variables["old"], variables["new"])


def test_a_wrong_node_is_named() -> None:
    with pytest.raises(AnsibleFilterError, match="sync_compatibility: node_b.platform: 'vyos' is none that is known; give one of pfsense-ce"):
        sync_compatibility.sync_compatibility(OLD, {**NEW, "platform": "vyos"})


def test_the_documentation_names_the_filter_and_its_keys() -> None:
    documentation = yaml.safe_load(sync_compatibility.DOCUMENTATION)
    assert documentation["name"] in sync_compatibility.FilterModule().filters()
    told = " ".join(yaml.safe_load(sync_compatibility.RETURN)["_value"]["description"])
    assert all(f"V({key})" in told for key in sync_compatibility.sync_compatibility(OLD, NEW))


def test_the_examples_do_what_they_say() -> None:
    example = yaml.safe_load(sync_compatibility.EXAMPLES)[1]["vars"]
    answer = sync_compatibility.sync_compatibility(example["old"], example["new"])
    assert (answer["a_to_b"], answer["b_to_a"]) == ("yes", "yes")
