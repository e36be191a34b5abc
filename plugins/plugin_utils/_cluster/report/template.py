# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's text. It is well-formed XML as well as HTML, so that a test can read it strictly."""

from __future__ import annotations

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="referrer" content="no-referrer"/>
<title>{{ headline }}: {{ title }}</title>
<style>{{ style }}</style>
</head>
<body>
<header>
<h1>{{ title }}</h1>
<p class="small soft">{{ generated }}{% if names %}, {{ names }}{% endif %}</p>
<div class="verdict {{ summary.verdict }}">{{ verdict_icon }}<div><strong>{{ headline }}</strong><p>{{ sentence }}</p></div></div>
{% if summary.checks.total %}
<ul class="counts">
{% for status, words in statuses %}
<li{% if not summary.checks[status] %} class="zero"{% endif %}>{{ icon(status) }} <span><b>{{ count(summary.checks[status]) }}</b> {{ words }}</span></li>
{% endfor %}
</ul>
{% endif %}
</header>
<main>
{% for upgrade in upgrades %}
<section>
<h2>{{ "Upgrade of cluster " ~ upgrade.cluster }}</h2>
{% if upgrades | length > 1 %}
<p>{{ icon(upgrade.status) }} <span class="word {{ upgrade.status }}">{{ upgrade.title }}</span></p>
{% endif %}
{% if upgrade.picture %}
<div class="card picture" tabindex="0" role="group" aria-label="Stages of the upgrade of {{ upgrade.cluster }}">{{ upgrade.picture }}</div>
{% endif %}
{% for title, texts in [("Why not", upgrade.reasons), ("What would be lost", upgrade.lost)] %}
{% if texts %}
<article class="problem">
<h3>{{ icon("fail") }} {{ title }}</h3>
<ul class="plain">
{% for text in texts %}
<li>{{ text }}</li>
{% endfor %}
</ul>
</article>
{% endif %}
{% endfor %}
{% if upgrade.unknowns %}
<article class="problem">
<h3>{{ icon("error") }} What is not known, and how to learn it</h3>
<ul class="plain">
{% for unknown in upgrade.unknowns %}
<li>{{ unknown.what }}<br/><span class="soft">{{ unknown.how }}</span></li>
{% endfor %}
</ul>
</article>
{% endif %}
{% if upgrade.runbook %}
<details class="runbook"{% if upgrade.outcome == "seamless_with_steps" %} open="open"{% endif %}>
<summary><b>The upgrade, step by step</b> <span class="soft">{{ upgrade.runbook | length }} steps, \
{{ upgrade.steps | length }} of them needed for this upgrade</span></summary>
<ol>
{% for step in upgrade.runbook %}
<li{% if step.required %} class="needed"{% endif %}><b>{{ step.title }}</b>{% if step.required %} <span class="word warn">needed</span>{% endif %}\
{% if step.why %} <span class="soft">{{ step.why }}</span>{% endif %}
{% if step.variables %}<pre>{{ step.variables }}</pre>{% endif %}
{% if step.commands %}<pre>{{ step.commands }}</pre>{% endif %}
{% if step.by_hand %}<p class="small soft">{{ "By hand instead, on the node:" if step.commands else "On the node:" }}</p>\
<pre>{{ step.by_hand }}</pre>{% endif %}
</li>
{% endfor %}
</ol>
</details>
{% endif %}
{% if upgrade.notes %}
<details>
<summary><b>From the notes of the release</b></summary>
<ul>
{% for note in upgrade.notes %}
<li>{{ note.text }}{% if note.link %} <a href="{{ note.link }}" rel="noreferrer">{{ note.link }}</a>{% endif %}</li>
{% endfor %}
</ul>
</details>
{% endif %}
</section>
{% endfor %}

{% if problems %}
<section>
<h2>What needs attention</h2>
{% for problem in problems %}
<article class="problem">
<h3>{{ icon(problem.status) }} {{ problem.title }}{% if problem.id %} <code>{{ problem.id }}</code>{% endif %}\
{% if many %} <span class="soft">{{ problem.cluster }}</span>{% endif %}</h3>
<ul>
{% for check in problem.checks %}
<li data-check="{{ check.id }}"><b>{{ check.node or "whole cluster" }}</b> <span class="word {{ check.status }}">{{ words[check.status] }}</span> \
<span>{% if not problem.id %}<code>{{ check.id }}</code> {% endif %}{{ check.reason or "no reason given" }}</span></li>
{% endfor %}
</ul>
<p class="remedy"><b>What to do:</b> {{ problem.remedy }}{% if problem.known %} <a href="#check-{{ problem.id }}">What this check means</a>{% endif %}</p>
</article>
{% endfor %}
</section>
{% endif %}

{% if drills %}
<section>
<h2>{{ "Failover drill" if drills | length == 1 else "Failover drills" }}</h2>
{% if compare %}
<div class="card compare">
{% for picture in compare %}
<div>{{ picture }}</div>
{% endfor %}
</div>
{% endif %}
{% for drill in drills %}
<article class="card drill">
<h3>{{ icon("pass" if drill.passed else "fail") }} {{ drill.name }} <span class="word {{ "pass" if drill.passed else "fail" }}">\
{{ "passed" if drill.passed else "failed" }}</span></h3>
{% if drill.reasons %}
<ul class="reasons">
{% for reason in drill.reasons %}
<li>{{ reason }}</li>
{% endfor %}
</ul>
{% endif %}
<dl class="figures">
{% for value, label in drill.figures %}
<div><dt>{{ label }}</dt><dd>{{ value }}</dd></div>
{% endfor %}
</dl>
{% if drill.picture %}
<div class="picture" tabindex="0" role="group" aria-label="Timeline of {{ drill.name }}">{{ drill.picture }}</div>
{% else %}
<p class="soft">No timeline was recorded.</p>
{% endif %}
</article>
{% endfor %}
</section>
{% endif %}

{% for cluster in clusters %}
<section>
{% if many %}
<details class="plain"{% if cluster.open %} open="open"{% endif %}>
<summary><h2>Cluster {{ cluster.name }}</h2></summary>
{% else %}
<h2>Cluster {{ cluster.name }}</h2>
{% endif %}
{% if cluster.picture %}
<div class="card picture" tabindex="0" role="group" aria-label="Picture of cluster {{ cluster.name }}">{{ cluster.picture }}</div>
<div class="card scroll" tabindex="0" role="group" aria-label="Nodes of cluster {{ cluster.name }}">
<table class="nodes">
<thead><tr><td></td>{% for node in cluster.nodes %}<th scope="col">{{ node }}</th>{% endfor %}</tr></thead>
<tbody>
{% for label, values in cluster.rows %}
<tr><th scope="row">{{ label }}</th>{% for value in values %}<td>{{ value }}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table>
</div>
{% else %}
<p>No node of it is known.</p>
{% endif %}
{% if many %}
</details>
{% endif %}
</section>
{% endfor %}

{% if rest %}
<section>
<h2>Every other check</h2>
<div class="card scroll">
<table class="checks">
<thead><tr><th scope="col">Result</th><th scope="col">Check</th>{% if many %}<th scope="col">Cluster</th>{% endif %}<th scope="col">Node</th>\
<th scope="col">Reason</th></tr></thead>
<tbody>
{% for check in rest %}
<tr data-check="{{ check.id }}"><td>{{ icon(check.status) }} <span class="word {{ check.status }}">{{ words[check.status] }}</span></td>\
<td>{{ entry(check).name }} <code>{{ check.id }}</code></td>{% if many %}<td>{{ check.cluster or "" }}</td>{% endif %}\
<td>{{ check.node or "whole cluster" }}</td><td>{{ check.reason }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
</section>
{% endif %}

{% if clusters %}
<section class="evidence">
<h2>Evidence</h2>
<p class="soft">What was read from each node. Secrets are left out.</p>
{% for cluster in clusters %}
{% for node in cluster.evidence %}
<details>
<summary><b>{{ node.name }}</b>{% if many %} of {{ cluster.name }}{% endif %} <span class="soft">{{ node.read }}</span></summary>
{% if node.errors %}
<ul>
{% for error in node.errors %}
<li>{{ error }}</li>
{% endfor %}
</ul>
{% endif %}
{% if node.text %}<pre>{{ node.text }}</pre>{% else %}<p>Nothing is known of this node: what was not read is unknown, never fine.</p>{% endif %}
</details>
{% endfor %}
{% endfor %}
</section>
{% endif %}

{% if catalogue %}
<section>
<h2>What the checks mean</h2>
<p class="soft">The guide "Reading the report" in the collection's documentation has more under the same names.</p>
<dl class="meanings">
{% for id, check in catalogue.items() %}
<dt id="check-{{ id }}">{{ check.name }} <code>{{ id }}</code></dt>
<dd>{{ check.meaning }}</dd>
{% endfor %}
</dl>
</section>
{% endif %}
</main>
<footer><p class="small soft">Written by hafirewall.cluster{% if collection %} {{ collection }}{% endif %}. {{ generated }}.</p></footer>
</body>
</html>
"""
