/** The style of the inbox: light and dark, wide and narrow screens, no external resources. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c1d21; --quiet: #5c5f66; --page: #f4f4f6; --card: #fff; --line: #dcdde1; --link: #1f4fd8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8ea; --quiet: #a9abb1; --page: #16181d; --card: #20232a; --line: #363a43; --link: #8fb0ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
a, summary { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
ul { list-style: none; margin: 0; padding: 0; background: var(--card); border-radius: .6rem; border: 1px solid var(--line); overflow: hidden; }
li + li { border-top: 1px solid var(--line); }
li a { display: block; padding: .7rem 1rem; text-decoration: none; color: inherit; }
li a:hover { background: var(--page); }
li a:focus-visible { outline-offset: -2px; }
.subject { display: block; font-weight: 600; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); font-size: .87rem; overflow-wrap: anywhere; }
iframe { width: 100%; height: min(34rem, 70vh); border: 1px solid var(--line); border-radius: .6rem; background: #fff; color-scheme: light; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; margin: 0; padding: .8rem 1rem; font-size: .85rem; }
details { margin: 1rem 0; } summary { cursor: pointer; margin-bottom: .5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0 0 1rem; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
`;
