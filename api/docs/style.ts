import { createHash } from "node:crypto";

/** Beside the pages' own sheet, whose colours it takes. Nothing scrolls sideways: a keyboard could not reach it. */
export const DOCS_STYLE = `
.docs main { max-width: 56rem; padding: 2rem 1rem 4rem; }
.docs h2 { font-size: 1.4rem; margin: 3rem 0 .25rem; text-transform: capitalize; }
.docs h3 { font-size: 1.15rem; line-height: 1.3; margin: 0 0 .25rem; }
.docs h4 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
.docs p { margin: 0 0 .5rem; }
.docs ul { list-style: none; margin: 0; padding: 0; }
.docs code { font: .9em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.docs nav { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: 1rem; margin: 1.5rem 0; }
.docs nav b { text-transform: capitalize; }
.docs nav li a, .docs .codes a { display: inline-block; padding: .2rem 0; }
.docs .panel { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 0 1.25rem; margin: .6rem 0; }
.docs .panel summary { cursor: pointer; padding: 1rem 0; }
.docs .panel h3 { display: inline; }
.docs .call { display: block; margin-top: .2rem; }
/* A link to it shows its heading as well. */
.docs .operation { padding-bottom: 1rem; scroll-margin-top: 7.5rem; }
.docs .call b { color: var(--accent); }
.docs pre {
  margin: .75rem 0; padding: .75rem 1rem; white-space: pre-wrap; background: var(--page);
  border: 1px solid var(--line); border-radius: 9px;
}
.docs .fields li, .docs .answers > li { border-top: 1px solid var(--line); padding: .5rem 0; }
.docs .fields .fields { margin: .25rem 0 0 1rem; }
.docs .codes { display: flex; flex-wrap: wrap; gap: 0 1.25rem; }
`.trim();

/** Changes with the sheet, so that browsers may cache it forever. */
export const DOCS_STYLE_HREF = `/docs/style.css?v=${createHash("sha256").update(DOCS_STYLE).digest("hex").slice(0, 12)}`;
