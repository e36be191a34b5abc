# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's looks, for a screen by day and by night, for paper and for a phone. No ampersand and no angle bracket: the page is XML too."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f4f5f7; --card: #ffffff; --ink: #16202a; --soft: #55616d; --line: #d8dde3; --faint: #edf0f3; --link: #1458b8;
  --fail: #b91c2c; --fail-tint: #fdecee; --error: #6f3bb0; --error-tint: #f3ecfb; --warn: #8f5b00; --warn-tint: #fdf3dd;
  --pass: #17733f; --pass-tint: #e5f5eb; --skipped: #5b6670; --skipped-tint: #eceff2;
  --old: #2f6fd0; --new: #0f8a6c; --crest: #064d3b; --other: #d1495b; --unseen: #a3adb7; --gap: #c9374a;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #10151b; --card: #192129; --ink: #e7ecf1; --soft: #a3b0bc; --line: #34404c; --faint: #232d37; --link: #84b6ff;
    --fail: #ff8a94; --fail-tint: #3b1d23; --error: #c9a6ff; --error-tint: #2e2440; --warn: #f1bd55; --warn-tint: #372b13;
    --pass: #63d296; --pass-tint: #16301f; --skipped: #a7b2bd; --skipped-tint: #28323c;
    --old: #5b96ee; --new: #35b895; --crest: #b9f3e2; --other: #f07f8e; --unseen: #66727e; --gap: #f0707f;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 var(--sans); -webkit-text-size-adjust: 100%; }
main, header, footer { max-width: 1112px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 26px; }
h1 { font-size: 1.1rem; font-weight: 600; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 44px 0 12px; overflow-wrap: anywhere; }
h3 { font-size: 1.02rem; margin: 0 0 6px; overflow-wrap: anywhere; }
p { margin: 0 0 8px; max-width: 76ch; overflow-wrap: anywhere; }
a { color: var(--link); }
.soft { color: var(--soft); }
.small { font-size: .87rem; }
header .small { margin: 2px 0 16px; }

.verdict { border-radius: 12px; padding: 22px 26px; display: grid; grid-template-columns: auto 1fr; gap: 4px 18px; align-items: center; border: 1px solid; }
.verdict .icon { width: 44px; height: 44px; }
.verdict strong { font-size: clamp(1.35rem, 4.2vw, 2rem); line-height: 1.15; letter-spacing: -.01em; }
.verdict p { margin: 4px 0 0; color: var(--ink); }
.verdict.fine { background: var(--pass-tint); color: var(--pass); border-color: var(--pass); }
.verdict.warnings { background: var(--warn-tint); color: var(--warn); border-color: var(--warn); }
.verdict.not_fine { background: var(--fail-tint); color: var(--fail); border-color: var(--fail); }
.verdict.unknown { background: var(--error-tint); color: var(--error); border-color: var(--error); }

.counts { list-style: none; display: flex; flex-wrap: wrap; gap: 8px 26px; margin: 16px 0 0; padding: 0; }
.counts li { display: flex; align-items: center; gap: 7px; }
.counts .zero { opacity: .55; }
.counts b { font-variant-numeric: tabular-nums; }

.icon { fill: var(--skipped); vertical-align: -3px; flex: none; }
.icon .cut { fill: none; stroke: var(--card); stroke-width: 1.9; stroke-linecap: round; stroke-linejoin: round; }
.icon.pass { fill: var(--pass); } .icon.fail { fill: var(--fail); } .icon.warn { fill: var(--warn); } .icon.error { fill: var(--error); }

.problem { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 20px 14px; margin: 0 0 12px; break-inside: avoid; }
.problem h3 { display: flex; flex-wrap: wrap; gap: 4px 9px; align-items: center; }
.problem h3 .icon { width: 20px; height: 20px; }
.problem ul { list-style: none; margin: 8px 0 10px; padding: 0; }
.problem li { padding: 5px 0; display: grid; grid-template-columns: minmax(84px, 150px) 96px 1fr; gap: 2px 14px; border-top: 1px solid var(--faint); }
.problem li b { overflow-wrap: anywhere; }
.problem li span:last-child { overflow-wrap: anywhere; }
.problem ul.plain li { display: block; overflow-wrap: anywhere; }
.remedy { margin: 0; }
.runbook ol { margin: 0 18px 12px; padding-left: 26px; } .runbook li { padding: 8px 0; border-top: 1px solid var(--faint); overflow-wrap: anywhere; }
.runbook li pre { margin: 6px 0 2px; padding: 8px 12px; background: var(--faint); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
.runbook li p { margin: 6px 0 0; }
code { font: .87em var(--mono); background: var(--faint); border-radius: 4px; padding: .1em .35em; overflow-wrap: anywhere; }
.word { font-weight: 600; white-space: nowrap; }
.word.fail { color: var(--fail); } .word.error { color: var(--error); } .word.warn { color: var(--warn); } .word.pass { color: var(--pass); }
.word.skipped { color: var(--skipped); }

.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 20px; margin: 0 0 14px; }
.compare { display: grid; grid-template-columns: repeat(auto-fit, minmax(270px, 1fr)); gap: 22px 32px; }
.compare svg { display: block; width: 100%; max-width: 420px; height: auto; }
.picture { overflow-x: auto; }
.picture svg { display: block; max-width: 100%; height: auto; margin: 0 auto; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 14px 20px; margin: 8px 0 18px; padding: 0; }
.figures div { display: flex; flex-direction: column; }
.figures dt { color: var(--soft); font-size: .87rem; order: 2; line-height: 1.35; }
.figures dd { margin: 0; font-size: 1.42rem; font-weight: 600; line-height: 1.25; font-variant-numeric: tabular-nums; order: 1; }
.reasons { margin: 0 0 12px; padding-left: 20px; overflow-wrap: anywhere; }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: 7px 14px 7px 0; border-top: 1px solid var(--faint); }
thead th { border-top: 0; color: var(--soft); font-weight: 500; }
td { overflow-wrap: anywhere; }
.nodes th, .nodes td { min-width: 110px; } .nodes tbody th { white-space: nowrap; width: 1%; } .nodes thead th { color: var(--ink); font-weight: 600; }
thead td { border: 0; }
.checks td:first-child, .checks td:nth-child(3) { white-space: nowrap; }
tbody th { font-weight: 600; }

details { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: 0 0 8px; }
details.plain { background: none; border: 0; }
summary { cursor: pointer; padding: 11px 18px; overflow-wrap: anywhere; }
details.plain { margin-top: 30px; } details.plain summary { padding: 8px 0; } details.plain h2 { display: inline; }
details.plain summary + * { margin-top: 8px; }
details pre { margin: 0; padding: 0 18px 16px; overflow: auto; max-height: 70vh; font: 12.5px/1.5 var(--mono); }
details p, details ul { margin: 0 18px 12px; }
.meanings dt { font-weight: 600; margin-top: 16px; scroll-margin-top: 16px; }
.meanings dt:target { color: var(--link); }
.meanings dd { margin: 0; max-width: 76ch; }
footer { padding-top: 34px; padding-bottom: 48px; }

svg text { fill: var(--ink); font-family: var(--sans); }
svg text.bold, svg .strong { font-weight: 600; } svg text.mono { font-family: var(--mono); } svg text.soft { fill: var(--soft); }
.node { fill: var(--card); stroke: var(--line); stroke-width: 1.5; } .node.active { stroke: var(--old); stroke-width: 2; }
.node.fault, .node.mixed, .node.stopped { stroke: var(--fail); stroke-width: 2; } .node.unknown, .node.maintenance { stroke-dasharray: 6 4; }
.cap { fill: var(--faint); } .cap.active { fill: var(--old); } .cap.fault, .cap.mixed, .cap.stopped { fill: var(--fail); }
.cap.unknown, .cap.none { fill: none; } .cap.maintenance { fill: var(--warn); }
.pill { fill: var(--faint); stroke: var(--line); } .pill.active { fill: var(--old); stroke: none; }
.pill.fault, .pill.mixed, .pill.stopped { fill: var(--fail); stroke: none; } .pill.maintenance { fill: var(--warn-tint); stroke: var(--warn); }
.pill.unknown { fill: var(--error-tint); stroke: var(--error); }
svg text.on.active, svg text.on.fault, svg text.on.mixed, svg text.on.stopped { fill: var(--card); }
svg text.on.maintenance { fill: var(--warn); } svg text.on.unknown { fill: var(--error); }
.glyph.full { fill: var(--card); } .glyph.line { fill: none; stroke: var(--card); stroke-width: 2.2; stroke-linecap: round; }
.glyph.standby, .glyph.none { stroke: var(--ink); } .glyph.maintenance { stroke: var(--warn); } .glyph.unknown { stroke: var(--error); }
.rule { stroke: var(--faint); stroke-width: 1.5; }
.port { fill: var(--pass); } .port.down, .port.missing { fill: none; stroke: var(--fail); stroke-width: 2; }
.port.unknown { fill: none; stroke: var(--soft); stroke-dasharray: 2.5 2; }
svg text.link.down, svg text.link.missing { fill: var(--fail); } svg text.link.unknown { fill: var(--soft); }
.vip { fill: none; stroke: var(--line); stroke-dasharray: 3 3; } .vip.held { fill: var(--old); stroke: none; }
svg text.status.fail { fill: var(--fail); } svg text.status.error { fill: var(--error); } svg text.status.warn { fill: var(--warn); }
.track { fill: var(--faint); } .fill { fill: var(--old); } .fill.full { fill: var(--fail); }
.wire { fill: none; stroke: var(--ink); stroke-width: 2; } .wire.bus { stroke-width: 4; stroke-linecap: round; }
.wire.off { stroke: var(--soft); stroke-dasharray: 5 5; } .wire.foreign { stroke: var(--fail); stroke-dasharray: 4 3; }
.plug { fill: var(--card); stroke: var(--ink); stroke-width: 2; }
.stranger { fill: var(--fail-tint); stroke: var(--fail); stroke-dasharray: 4 3; }
.step-node { fill: var(--card); stroke: var(--line); stroke-width: 1.5; } .step-node.after { stroke: var(--new); }
.step-mark.before { fill: var(--old); } .step-mark.after { fill: var(--new); } svg text.step-badge { fill: var(--soft); }
svg text.step-badge.after { fill: var(--new); font-weight: 600; }
.flow-arrow { fill: none; stroke-width: 2.5; } .flow-arrow.pass { stroke: var(--pass); } .flow-arrow.fail { stroke: var(--fail); stroke-dasharray: 3 5; }
.flow-arrow.error { stroke: var(--error); stroke-dasharray: 9 5; }
.flow-tip.pass { fill: var(--pass); } .flow-tip.fail { fill: var(--fail); } .flow-tip.error { fill: var(--error); }
.lane { fill: var(--faint); } .flow.old { fill: var(--old); } .flow.new { fill: var(--new); } .flow.other { fill: var(--other); }
.flow.unseen { fill: var(--unseen); }
.crest { fill: var(--crest); } .crest-line { fill: none; stroke: var(--crest); stroke-width: 3; }
.gap { fill: var(--gap); } .whisker { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.moment { stroke: var(--ink); stroke-width: 1.2; } .moment.failure { stroke: var(--gap); stroke-width: 2; } .moment.limit { stroke-dasharray: 5 3; }
.moment.event { stroke: var(--soft); stroke-dasharray: 1.5 3; } svg text.moment-text { paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
svg text.moment-text.failure { fill: var(--gap); }
.axis { fill: none; stroke: var(--soft); }
.bar.kept { fill: var(--new); } .bar.lost { fill: var(--gap); } .bar.time { fill: var(--old); }
.stripe { stroke: var(--card); stroke-width: 1.4; opacity: .65; }

@media (max-width: 640px) {
  main, header, footer { padding-left: 14px; padding-right: 14px; }
  .verdict { padding: 16px; gap: 4px 12px; } .verdict .icon { width: 32px; height: 32px; }
  .counts { gap: 6px 18px; }
  .problem, .card { padding: 14px; }
  .problem li { grid-template-columns: auto 1fr; } .problem li span:last-child { grid-column: 1 / -1; }
  .picture svg { max-width: none; }
  .checks thead { display: none; }
  .checks tr { display: grid; grid-template-columns: auto 1fr; gap: 0 12px; border-top: 1px solid var(--faint); padding: 7px 0; }
  .checks td { border: 0; padding: 0; } .checks td:last-child, .checks td:nth-child(2) { grid-column: 2; }
  .checks td:empty { display: none; }
}
@media print {
  body { background: #fff; font-size: 10.5pt; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  main, header, footer { max-width: none; padding: 0; }
  .card, .problem, .drill, tr { break-inside: avoid; } h2 { break-after: avoid; margin-top: 24px; }
  .evidence { display: none; } .picture, .scroll { overflow: visible; } .picture svg { max-width: 100%; }
}
"""
