/** How the drawings look, by day and by night, and how they move; nothing moves for who asked for less motion. */
export const ART = `
:root{--sky:#d3e8dd;--h1:#b3d3c3;--h2:#8fbfa8;--r1:#5fa585;--r2:#3d8f6c;--r3:#1f7656;--r4:#0e6248;--r5:#084c38;--rim:#dff1e6;--wood:#3b2a1d;--wall:#d8a86a;--stamp:#fbe7b6}
@media(prefers-color-scheme:dark){:root{--sky:#143029;--h1:#1c4036;--h2:#1a4a3b;--r1:#1f5a46;--r2:#1a4d3b;--r3:#164032;--r4:#113328;--r5:#0c271f;--rim:#3f7f68;--wood:#0f1512;--wall:#b98b52;--stamp:#f0dfb4}}
.scene{display:block;width:100%;height:100%}
.sky,.stamp-sky{fill:var(--sky)}.sun{fill:var(--sun)}.halo{fill:var(--sun);opacity:.22}
.h1{fill:var(--h1)}.h2{fill:var(--h2)}
.rice{stroke:var(--rim);stroke-width:3}.r1{fill:var(--r1)}.r2{fill:var(--r2)}.r3{fill:var(--r3)}.r4{fill:var(--r4)}.r5{fill:var(--r5)}
.stilts{stroke:var(--wood);stroke-width:3;fill:none}.wall{fill:var(--wall)}.roof,.door{fill:var(--wood)}
.twig{fill:none;stroke:var(--wood);stroke-width:4;stroke-linecap:round}.petal{fill:var(--sun)}.pistil{fill:#b4560f}
.flight{fill:none;stroke:#fffefa;stroke-width:3;stroke-linecap:round;stroke-dasharray:1 11}
.letter{offset-path:path("M118 338C128 232 226 300 262 212S352 92 432 74");offset-distance:44%;offset-rotate:auto 12deg}
.paper{fill:#fffefa;stroke:#0a6247;stroke-width:2.5;stroke-linejoin:round}.fold{fill:none;stroke:#0a6247;stroke-width:2.5;stroke-linejoin:round}
.stamp{width:7.2rem;height:auto;overflow:visible}
.stamp-paper{fill:var(--stamp)}.perforation{fill:none;stroke:var(--card);stroke-width:5;stroke-dasharray:0 8;stroke-linecap:round}
.stamp .rice{stroke-width:2}.stamp-value{font:700 12px var(--text);fill:#0a6247}
.postmark{fill:none;stroke:#1d3b5e;stroke-width:2;opacity:.85;transform:rotate(-9deg);transform-origin:0 52px}
.postmark text{font:700 10px var(--text);fill:#1d3b5e;stroke:none}
.postcard .view{position:relative;height:12rem}
.postcard .stamp{position:absolute;right:1.1rem;top:-5.6rem;width:6.6rem}
.postcard .inside{position:relative}
.envelope .stamp{float:right;margin:-.35rem -.75rem .25rem .5rem}
@media(min-width:56rem){
.postcard{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr)}
.postcard::before{grid-column:1/-1}
.postcard .view{height:auto}
.letter{offset-distance:80%}
.postcard .scene{position:absolute;inset:0}
.postcard .inside{padding:2.75rem 3rem 3rem}
.postcard .stamp{top:1.25rem;right:1.25rem;width:6.2rem}
.postcard h1+.soft{padding-right:3.5rem}
}
@media(prefers-color-scheme:dark){.card{box-shadow:0 0 0 1px var(--line)}.postmark{stroke:#7db0ec}.postmark text{fill:#7db0ec}}
@media(prefers-reduced-motion:no-preference){
.letter{animation:fly 2.6s cubic-bezier(.3,.1,.2,1) both}
.postmark{animation:stamp .38s cubic-bezier(.2,1.4,.4,1) both}
.waiting .steps li:last-child::before{animation:wait 1.1s ease-in-out infinite alternate}
@keyframes fly{from{offset-distance:0}}
@keyframes stamp{from{transform:rotate(-22deg) scale(2.1);opacity:0}}
@keyframes wait{to{opacity:.35}}
}
`;
