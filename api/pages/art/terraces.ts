/** The way of the letter, from the house to the sky: the style sheet moves the letter along the same curve. */
const FLIGHT = "M118 338C128 232 226 300 262 212S352 92 432 74";

const petals = [0, 72, 144, 216, 288]
  .map((turn) => `<ellipse cy="-9" rx="6.4" ry="8.6" transform="rotate(${turn})"/>`)
  .join("");

const blossom = (x: number, y: number, size: number): string =>
  `<g transform="translate(${x} ${y}) scale(${size})"><g class="petal">${petals}</g><circle r="4.2" class="pistil"/></g>`;

const terrace = (level: number, curve: string): string => `<path class="rice r${level}" d="M-20 ${curve}V600H-20Z"/>`;

/** Rice terraces at sunrise, with a letter on its way from the house. 480 x 560, of which a narrow page shows the middle. */
export const TERRACES = [
  '<svg class="scene" viewBox="0 0 480 560" preserveAspectRatio="xMidYMid slice" aria-hidden="true" focusable="false">',
  '<rect class="sky" width="480" height="560"/>',
  '<circle class="halo" cx="338" cy="196" r="96"/><circle class="sun" cx="338" cy="196" r="54"/>',
  '<path class="hill h1" d="M-20 300C40 214 92 178 142 236 190 160 246 122 300 206 350 150 414 190 500 262V600H-20Z"/>',
  '<path class="hill h2" d="M-20 322C30 268 88 244 150 288 214 236 284 226 338 284 396 240 452 262 500 300V600H-20Z"/>',
  terrace(1, "346C60 316 120 334 190 318S330 282 500 322"),
  terrace(2, "386C80 354 150 388 236 364S384 332 500 366"),
  '<g class="house"><path d="M88 362v22m14-22v24m22-24v24m14-24v20" class="stilts"/><path d="M88 342h50v22H88z" class="wall"/>',
  '<path d="M78 344l20-22h30l20 22z" class="roof"/><path d="M108 350h10v14h-10z" class="door"/></g>',
  terrace(3, "432C60 404 170 442 262 416S402 386 500 418"),
  terrace(4, "480C90 448 182 490 284 462S422 444 500 470"),
  terrace(5, "528C80 502 202 540 304 512S432 500 500 522"),
  `<path class="flight" d="${FLIGHT}"/>`,
  '<path class="twig" d="M-8 44C40 36 70 60 104 58M52 46C66 34 74 22 92 18M70 54C78 72 88 84 106 92"/>',
  blossom(104, 58, 1.15),
  blossom(94, 18, 0.8),
  blossom(108, 94, 0.9),
  blossom(40, 40, 0.7),
  '<g class="letter"><path class="paper" d="M-22-14h44v28h-44z"/><path class="fold" d="M-22-14L0 4 22-14"/></g>',
  "</svg>",
].join("");
