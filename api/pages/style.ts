import { createHash } from "node:crypto";
import { BRAND_CSS } from "../../runtime/brand/css.ts";

/** The one style sheet of the pages. */
export const STYLE = `${BRAND_CSS}
*, ::before, ::after { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; padding: clamp(1rem, 6vh, 5rem) 1rem;
  background: var(--page); color: var(--ink);
  font: 1rem/1.55 var(--text);
}
main { max-width: 27rem; margin: 0 auto; }
header, footer { max-width: 27rem; margin: 0 auto; display: flex; justify-content: space-between; gap: 1rem; }
header { padding: 0 .25rem 1rem; align-items: baseline; }
footer { padding: 1rem .25rem; color: var(--soft); font-size: .9rem; }
.brand { font-weight: 700; font-size: 1.2rem; letter-spacing: -.01em; overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.75rem; }
@media (max-width: 26rem) { .card { padding: 1.25rem; } }
h1 { font-size: 1.55rem; line-height: 1.25; letter-spacing: -.02em; margin: 0 0 .5rem; text-wrap: balance; }
h2 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; }
p { margin: 0 0 1rem; }
.soft, .hint { color: var(--soft); }
a { color: var(--accent); text-underline-offset: .15em; }
label { display: block; font-weight: 600; margin-top: 1.1rem; }
.hint, .fault { font-size: .9rem; margin: 0; }
.fault { color: var(--bad); font-weight: 600; }
input {
  width: 100%; min-height: 2.9rem; margin: .3rem 0; padding: .55rem .8rem; font: inherit;
  color: inherit; background: var(--card); border: 1px solid var(--edge); border-radius: 9px;
}
input[aria-invalid=true] { border-color: var(--bad); border-width: 2px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
button {
  width: 100%; min-height: 3rem; margin-top: 1.6rem; font: inherit; font-weight: 650; cursor: pointer;
  color: var(--on-accent); background: var(--accent); border: 1px solid transparent; border-radius: 9px;
}
button:hover { filter: brightness(1.08); }
.alert { background: var(--bad-ground); color: var(--bad); border-radius: 9px; padding: .8rem 1rem; margin: 1rem 0 0; }
.alert ul { margin: .3rem 0 0; padding-left: 1.2rem; }
.alert a { color: inherit; }
.state { font-size: 1.1rem; border-left: 4px solid var(--edge); padding: .1rem 0 .1rem .9rem; margin: 1rem 0; }
.state.good { border-color: var(--accent); }
.state.bad { border-color: var(--bad); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
ol { list-style: none; margin: 0; padding: 0; }
li.step { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; padding: .5rem 0; border-top: 1px solid var(--line); }
li.step time { color: var(--soft); font-variant-numeric: tabular-nums; }
`.trim();

/** Changes with the style sheet, so that browsers may cache it forever. */
export const STYLE_HREF = `/style.css?v=${createHash("sha256").update(STYLE).digest("hex").slice(0, 12)}`;
