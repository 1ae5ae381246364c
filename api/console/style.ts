import { BRAND_CSS } from "../../runtime/brand/css.ts";
import { FONT_FACES } from "../../runtime/brand/fonts.ts";

const FRAME = `
*, ::before, ::after { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: .9375rem/1.5 var(--text); }
.skip, .hidden { position: absolute; left: -99rem; }
/* However long its words: they must not reach back to where one can scroll. */
.hidden { width: 1px; height: 1px; overflow: hidden; }
.skip:focus { left: .5rem; top: .5rem; background: var(--card); padding: .5rem; z-index: 9; }
.top {
  display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.25rem; padding: .55rem clamp(1rem, 3vw, 2rem);
  background: var(--card); border-bottom: 1px solid var(--line);
}
.brand { display: flex; align-items: center; gap: .55rem; font: 700 1.1rem/1.2 var(--text); letter-spacing: -.01em; color: inherit; text-decoration: none; }
.brand svg, .mark svg { width: 1.75rem; height: 1.75rem; flex: none; }
.mark svg { width: 2.75rem; height: 2.75rem; }
nav { display: flex; flex-wrap: wrap; gap: .125rem; }
nav a { padding: .35rem .75rem; border-radius: 8px; color: var(--soft); text-decoration: none; font-weight: 600; }
nav a:hover { color: var(--ink); background: var(--page); }
nav a[aria-current] { color: var(--accent); background: var(--accent-ground); }
.who { margin-left: auto; display: flex; align-items: center; gap: .75rem; color: var(--soft); }
.who a { color: inherit; text-decoration: none; display: flex; align-items: center; gap: .5rem; }
.who a:hover { color: var(--ink); }
.who small { border: 1px solid var(--line); border-radius: 99px; padding: .05rem .5rem; }
main { max-width: 78rem; margin: 0 auto; padding: 1.25rem clamp(1rem, 3vw, 2rem) 4rem; }
main.narrow { max-width: 27rem; padding-top: min(12vh, 6rem); }
h1, h2, h3 { font-family: var(--text); text-wrap: balance; }
h1 { font-size: 1.5rem; line-height: 1.25; letter-spacing: -.015em; margin: 0 0 .75rem; }
h2 { font-size: 1.05rem; margin: 1.75rem 0 .6rem; letter-spacing: -.01em; }
h3 { font-size: .95rem; margin: 0; }
p { margin: 0 0 .75rem; }
a { color: var(--accent); text-underline-offset: .15em; }
.soft, .hint { color: var(--soft); }
.hint { font-size: .85rem; margin: .25rem 0 0; }
.as-of { margin-top: 1.5rem; font-size: .85rem; }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; margin-bottom: 1rem; }
.bar h1 { margin: 0; }
.row { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem .75rem; margin: 0; }
.row :is(button, input) { margin: 0; }
.live { color: var(--accent); font-weight: 600; font-size: .85rem; }
.live::before { content: ""; display: inline-block; width: .55rem; height: .55rem; border-radius: 50%; margin-right: .4rem; background: currentColor; }
.live.off { color: var(--warn); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
`;

const CONTROLS = `
label { font-weight: 600; }
.narrow label { display: block; margin-top: 1.1rem; }
input:not([type=checkbox], [type=radio], [type=hidden]), select, textarea {
  min-height: 2.4rem; padding: .35rem .7rem; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--edge); border-radius: 9px; max-width: 100%;
}
::placeholder { color: var(--soft); opacity: 1; }
.narrow input:not([type=hidden]) { width: 100%; margin-top: .3rem; min-height: 2.8rem; }
.narrow button { width: 100%; margin-top: 1.5rem; min-height: 2.8rem; }
.narrow h1 { display: flex; align-items: center; gap: .8rem; }
.mark { display: flex; }
.find input[type=search] { flex: 1 1 16rem; font-size: 1.05rem; min-height: 2.8rem; }
.find label { display: block; margin-bottom: .35rem; }
.filters { display: flex; flex-wrap: wrap; align-items: end; gap: .6rem 1rem; margin-bottom: 1rem; }
.filters label { display: grid; gap: .2rem; font-size: .85rem; color: var(--soft); }
.filters input, .filters select { font-size: .9375rem; color: var(--ink); font-weight: 400; }
.filters select[name=state] { width: 10.5rem; }
.filters input[name=reason] { width: 9rem; }
button, .button {
  min-height: 2.4rem; padding: .35rem .95rem; font: inherit; font-weight: 650; cursor: pointer; color: var(--on-accent);
  background: var(--accent); border: 1px solid transparent; border-radius: 9px; text-decoration: none;
}
button:hover, .button:hover { filter: brightness(1.08); }
button.quiet, .button.quiet { color: var(--ink); background: transparent; border-color: var(--edge); font-weight: 500; min-height: 2.1rem; }
button.danger { background: var(--bad-ground); color: var(--bad); border-color: var(--bad); }
summary { cursor: pointer; }
dialog { color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.25rem 1.5rem; }
dialog::backdrop { background: rgb(0 0 0 / .45); }
dialog h2 { margin-top: 0; }
dialog form { margin-top: 1rem; }
kbd { font: .85em/1.4 var(--mono); border: 1px solid var(--edge); border-radius: 5px; padding: .1rem .35rem; }
code { font: .87em/1.4 var(--mono); overflow-wrap: anywhere; }
code.command { white-space: nowrap; }
input.short:not([type=hidden]) { width: 6.5rem; min-height: 2.1rem; }
`;

const PARTS = `
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.1rem 1.25rem; }
.narrow .card { padding: 1.75rem; }
.card.flush { padding: 0; }
.alert { background: var(--bad-ground); color: var(--bad); border-radius: 10px; padding: .7rem .9rem; }
.findings { list-style: none; margin: 0 0 1rem; padding: 0; display: grid; gap: .5rem; }
.findings li { border-radius: 12px; padding: .7rem 1rem; background: var(--warn-ground); border-left: 5px solid var(--warn); }
.findings li.trouble { background: var(--bad-ground); border-color: var(--bad); }
.findings li.well { background: var(--accent-ground); border-color: var(--accent); }
.findings li:first-child { font-size: 1.12rem; font-weight: 650; line-height: 1.4; }
.more .findings li:first-child { font-size: inherit; font-weight: inherit; }
.findings a { color: inherit; text-decoration-thickness: 1px; text-decoration-color: color-mix(in srgb, currentColor 35%, transparent); }
.findings a:hover { text-decoration-color: currentColor; }
.findings .meaning { margin: .15rem 0 0; font: 400 .85rem/1.5 var(--text); }
.findings small { display: flex; flex-wrap: wrap; gap: 0 .9rem; color: var(--ink); font: 400 .85rem/1.6 var(--text); margin-top: .15rem; }
.findings small span { font-family: var(--mono); overflow-wrap: anywhere; min-width: 0; }
.findings small a { font-weight: 650; color: var(--accent); text-decoration-color: currentColor; }
.more { margin: .5rem 0 1rem; }
.more > summary { color: var(--soft); padding: .25rem 0; }
.totals { display: flex; flex-wrap: wrap; gap: .6rem; margin: 0 0 1rem; }
.totals div { flex: 1 1 6.5rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: .6rem .9rem; }
.totals dt { font-size: .8rem; color: var(--soft); }
.totals dd { margin: 0; font: 650 1.45rem/1.25 var(--text); font-variant-numeric: tabular-nums; }
.totals .trouble dd { color: var(--bad); }
.totals .notice dd { color: var(--warn); }
.totals .none dd { color: var(--soft); font-weight: 400; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
thead th { font-weight: 600; color: var(--soft); font-size: .8rem; white-space: nowrap; }
th, td { text-align: left; padding: .5rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody th { font-weight: 600; }
tbody tr:last-child > * { border-bottom: 0; }
tbody tr:hover, tbody tr:focus-within { background: color-mix(in srgb, var(--accent-ground) 40%, transparent); }
th.number, td.number { text-align: right; white-space: nowrap; }
td.none { color: var(--soft); }
td.trouble { color: var(--bad); font-weight: 650; }
td.notice { color: var(--warn); font-weight: 650; }
.flush :is(th, td), .event :is(th, td) { white-space: nowrap; }
.scroll td.wrap { white-space: normal; min-width: 15rem; overflow-wrap: anywhere; }
.groups td, .groups th { vertical-align: middle; }
.groups .graph { width: 9rem; }
.pill { display: inline-block; padding: .05rem .55rem; border-radius: 99px; font-size: .82rem; font-weight: 600; white-space: nowrap; border: 1px solid var(--line); }
.pill.well { background: var(--accent-ground); color: var(--accent); border-color: transparent; }
.pill.notice { background: var(--warn-ground); color: var(--warn); border-color: transparent; }
.pill.trouble { background: var(--bad-ground); color: var(--bad); border-color: transparent; }
.spark { display: block; }
.spark rect { fill: var(--accent); }
.spark line { stroke: var(--line); }
.graphs { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); margin-bottom: .75rem; }
.graphs > div { min-width: 0; overflow: hidden; }
.u-title { font: 600 .85rem/1.4 var(--text); text-align: left; color: var(--soft); }
.u-legend { color: var(--soft); font-size: .8rem; }
.u-legend :is(th, td) { border: 0; padding: .1rem .3rem; }
.systems { list-style: none; margin: 0; padding: 0; display: grid; gap: .6rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); }
.systems li { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: .7rem .95rem; }
.systems small { display: block; color: var(--soft); margin-top: .15rem; }
q { display: block; font: .87em/1.5 var(--mono); color: var(--ink); overflow-wrap: anywhere; }
.tiles { list-style: none; margin: 0 0 1.25rem; padding: 0; display: grid; gap: .6rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 14rem), 1fr)); }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: .7rem .95rem; }
.tiles a { font-weight: 600; }
.tiles small { display: block; color: var(--soft); margin-top: .15rem; }
.list { list-style: none; margin: .5rem 0; padding: 0; display: grid; gap: .25rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
dl.totals { display: flex; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.person { margin-bottom: 1rem; }
.event { margin-bottom: 1rem; }
.event > summary h2 { display: inline; margin-right: .5rem; }
.event > .scroll { margin-top: 1rem; }
.journey { margin: 1rem 0; }
.lanes { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: 0 1rem; }
.lanes ul { list-style: none; margin: 0; padding: 0; }
.lanes li { display: flex; align-items: center; justify-content: space-between; gap: .75rem; height: 30px; white-space: nowrap; }
.lanes svg { width: 100%; overflow: visible; }
.lanes .pill { line-height: 1.4; }
.lanes line { stroke: var(--line); vector-effect: non-scaling-stroke; }
.lanes .end { stroke-width: 6; stroke-linecap: round; }
.lanes .end.waits { stroke: var(--edge); }
.lanes .end:is(.works, .well) { stroke: var(--accent); }
.lanes .end.rests { stroke: var(--warn); }
.lanes .end.wrong { stroke: var(--bad); }
.journey .waits { fill: var(--edge); }
.journey .works, .journey .well { fill: var(--accent); }
.journey .rests { fill: var(--warn); }
.journey .wrong { fill: var(--bad); }
.journey figcaption { grid-column: 2; display: flex; justify-content: space-between; color: var(--soft); font-size: .8rem; }
td small, .jobs small { display: block; color: var(--soft); font-size: .8rem; overflow-wrap: anywhere; }
.outcomes { list-style: none; display: grid; gap: .4rem; margin: .75rem 0 0; padding: 0; }
.outcomes li { padding-left: .8rem; border-left: 3px solid var(--accent); font-weight: 600; }
.typed { display: block; margin: 1.1rem 0 .9rem; }
.typed input { margin-top: .3rem; }
.card + form > .bar { margin-top: 1.1rem; }
.reasons { list-style: none; display: flex; flex-wrap: wrap; gap: .35rem 1.1rem; margin: 0 0 1rem; padding: 0; }
.reasons small { color: var(--soft); }
.reasons [aria-current] { font-weight: 700; }
.meanings { margin: 0 0 1rem; }
.meanings summary { color: var(--soft); }
.meanings dl { display: block; margin-top: .35rem; }
.meanings div { display: flex; flex-wrap: wrap; gap: 0 .6rem; }
.meanings dt { color: var(--ink); font-weight: 650; }
.meanings dd { margin: 0; }
.scope { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; margin: 0 0 .75rem; padding: .6rem .9rem; border: 1px solid var(--line); border-radius: 10px; }
.scope label { margin: 0; font-weight: 500; }
.jobs { list-style: none; margin: 0; padding: 0; display: grid; gap: .75rem; }
.card + .bar, .card + form, .card + p { margin-top: 1rem; }
.deliveries code { white-space: nowrap; }
progress { width: 100%; accent-color: var(--accent); }
.mail { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: 1rem 0 0; }
@media (max-width: 40rem) {
  nav a { padding: .35rem .6rem; font-size: .9rem; }
  .stacked, .stacked tbody { display: block; }
  .stacked thead { position: absolute; left: -99rem; }
  .stacked tr { display: flex; flex-wrap: wrap; align-items: baseline; gap: .3rem .9rem; padding: .75rem .9rem; border-bottom: 1px solid var(--line); }
  .stacked tbody tr:last-child { border-bottom: 0; }
  .stacked tbody :is(th, td) { display: block; padding: 0; border: 0; text-align: left; white-space: normal; min-width: 0; overflow-wrap: anywhere; }
  .stacked tbody :is(th.first, td.whole, td.wrap) { flex: 1 1 100%; }
  .groups tbody th { flex: 1 1 60%; }
  .stacked [data-label]::before { content: attr(data-label) " "; color: var(--soft); font-size: .8rem; font-weight: 400; }
  .stacked tbody :is(td.none, td.graph, td:empty) { display: none; }
  .totals div { flex-basis: 5.2rem; padding: .45rem .7rem; }
  .totals dd { font-size: 1.15rem; white-space: nowrap; }
  nav { order: 3; width: 100%; }
  .lanes { grid-template-columns: max-content 1fr; font-size: .8rem; gap: 0 .6rem; }
  .lanes .pill, .journey figcaption span:nth-child(even) { display: none; }
  .filters { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .filters > * { grid-column: 1 / -1; }
  .filters > label:has(> select):has(+ label > select), .filters > label:has(> select) + label:has(> select) { grid-column: auto; }
  .filters label, .filters input, .filters input[name=reason], .filters select, .filters select[name=state], .filters button, .bar search, .bar search input[type=search] { width: 100%; }
}
@media (prefers-reduced-motion: no-preference) {
  .live:not(.off)::before { animation: pulse 2s ease-in-out infinite; }
  @keyframes pulse { 50% { opacity: .35; } }
}
`;

/** The console's one style sheet, in the brand's colours and type. */
export const CONSOLE_STYLE = `${FONT_FACES}${BRAND_CSS}${FRAME}${CONTROLS}${PARTS}`;
