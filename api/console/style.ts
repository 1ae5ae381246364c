/** The console's one style sheet. Colours are pairs of light and dark, each with a contrast of 4.5:1 or more. */
export const CONSOLE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #f4f5f7; --card: #ffffff; --ink: #1b1f26; --soft: #566070; --edge: #868f9c; --line: #e2e5ea;
  --accent: #0b6e4f; --on-accent: #ffffff; --bad: #b3261e; --bad-ground: #fdecea;
  --warn: #8a5300; --warn-ground: #fff4dd; --good-ground: #e6f4ee;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171c; --card: #1d2129; --ink: #eceff4; --soft: #a7b0be; --edge: #6d7786; --line: #313844;
    --accent: #4fd0a2; --on-accent: #07251b; --bad: #ffb4ab; --bad-ground: #3b1c1a;
    --warn: #f3c26b; --warn-ground: #35290f; --good-ground: #12301f;
  }
}
*, ::before, ::after { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: .9375rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
.skip { position: absolute; left: -99rem; }
.skip:focus { left: .5rem; top: .5rem; background: var(--card); padding: .5rem; z-index: 9; }
.top {
  display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.25rem; padding: .6rem clamp(1rem, 3vw, 2rem);
  background: var(--card); border-bottom: 1px solid var(--line); position: sticky; top: 0; z-index: 5;
}
.brand { font-weight: 700; font-size: 1.05rem; letter-spacing: -.01em; color: inherit; text-decoration: none; }
nav { display: flex; flex-wrap: wrap; gap: .125rem; }
nav a { padding: .35rem .7rem; border-radius: 8px; color: var(--soft); text-decoration: none; font-weight: 550; }
nav a:hover { color: var(--ink); background: var(--page); }
nav a[aria-current] { color: var(--ink); background: var(--page); }
.who { margin-left: auto; display: flex; align-items: center; gap: .75rem; color: var(--soft); }
.who small { border: 1px solid var(--line); border-radius: 99px; padding: 0 .5rem; }
main { max-width: 76rem; margin: 0 auto; padding: 1.25rem clamp(1rem, 3vw, 2rem) 4rem; }
main.narrow { max-width: 26rem; padding-top: min(12vh, 6rem); }
h1 { font-size: 1.4rem; line-height: 1.25; letter-spacing: -.015em; margin: 0 0 .75rem; text-wrap: balance; }
h2 { font-size: 1.05rem; margin: 1.75rem 0 .6rem; letter-spacing: -.01em; }
h3 { font-size: .95rem; margin: 0; }
p { margin: 0 0 .75rem; }
a { color: var(--accent); text-underline-offset: .15em; }
.soft, .hint { color: var(--soft); }
.hint { font-size: .85rem; margin: .2rem 0 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.1rem 1.25rem; }
.alert { background: var(--bad-ground); color: var(--bad); border-radius: 9px; padding: .7rem .9rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
label { display: block; font-weight: 600; margin-top: 1rem; }
input:not([type=checkbox], [type=radio], [type=hidden]), select, textarea {
  min-height: 2.4rem; padding: .35rem .7rem; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--edge); border-radius: 8px; max-width: 100%;
}
.narrow input:not([type=hidden]) { width: 100%; margin-top: .3rem; }
.narrow button { width: 100%; margin-top: 1.4rem; }
button, .button {
  min-height: 2.4rem; padding: .35rem .95rem; font: inherit; font-weight: 600; cursor: pointer; color: var(--on-accent);
  background: var(--accent); border: 1px solid transparent; border-radius: 8px; text-decoration: none;
}
button:hover, .button:hover { filter: brightness(1.08); }
button.quiet, .button.quiet { color: var(--ink); background: transparent; border-color: var(--edge); font-weight: 500; min-height: 2rem; }
button.danger { background: var(--bad-ground); color: var(--bad); border-color: var(--bad); }
.findings { list-style: none; margin: 0 0 1.25rem; padding: 0; display: grid; gap: .5rem; }
.findings li { border-radius: 10px; padding: .75rem 1rem; background: var(--warn-ground); border-left: 4px solid var(--warn); }
.findings li.trouble { background: var(--bad-ground); border-color: var(--bad); }
.findings li.well { background: var(--good-ground); border-color: var(--accent); }
.findings li:first-child { font-size: 1.1rem; font-weight: 600; }
.findings small { display: block; color: var(--soft); font-weight: 400; font-size: .85rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .8rem; white-space: nowrap; }
th, td { padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th.number, td.number { text-align: right; }
code, kbd { font: .85em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
kbd { border: 1px solid var(--edge); border-radius: 5px; padding: .1rem .35rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
dialog { color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem 1.5rem; }
dialog::backdrop { background: rgb(0 0 0 / .45); }
dialog h2 { margin-top: 0; } dialog form { margin-top: 1rem; }
@media (max-width: 40rem) { .who { margin-left: 0; width: 100%; justify-content: space-between; } nav { order: 3; width: 100%; } }
`.trim();
