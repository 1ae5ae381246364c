import { createHash } from "node:crypto";
import { BRAND_CSS } from "../../runtime/brand/css.ts";
import { FONT_FACES } from "../../runtime/brand/fonts.ts";
import { ART } from "./art/style.ts";

const PAGE = `
*,::before,::after{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;background:var(--page);color:var(--ink);font:1rem/1.6 var(--text);-webkit-text-size-adjust:100%}
header{width:100%;max-width:34rem;margin:0 auto;padding:1.1rem 1.25rem;display:flex;justify-content:space-between;align-items:center;gap:1rem}
header a{min-height:2.75rem;display:inline-flex;align-items:center}
.brand{display:inline-flex;align-items:center;gap:.6rem;font-weight:700;font-size:1.2rem;letter-spacing:-.02em;overflow-wrap:anywhere;color:inherit;text-decoration:none}
.brand svg{flex:none}
main{flex:1;width:100%;max-width:34rem;margin:0 auto;padding:0 1rem 3rem}
main.wide,body:has(.wide) header{max-width:66rem}
a{color:var(--accent);text-underline-offset:.18em;text-decoration-thickness:.08em}
a:hover{text-decoration-thickness:.16em}
h1{font-size:clamp(1.75rem,1.4rem + 1.4vw,2.1rem);line-height:1.16;letter-spacing:-.035em;margin:0 0 .6rem;text-wrap:balance}
h2{font-size:1.05rem;letter-spacing:-.01em;margin:1.75rem 0 .4rem}
p{margin:0 0 1rem;text-wrap:pretty}
.soft,.hint{color:var(--soft)}
.card{position:relative;background:var(--card);border-radius:18px;overflow:hidden;box-shadow:0 1px 2px #0a624714,0 18px 48px -18px #0a624740}
.card::before{content:"";display:block;height:9px;background:repeating-linear-gradient(-45deg,var(--accent) 0 14px,transparent 14px 22px,var(--sun) 22px 36px,transparent 36px 44px)}
.inside{padding:1.75rem clamp(1.25rem,5vw,2.5rem) 2.25rem}
label{display:block;font-weight:700;font-size:.95rem}
.field{margin-top:1.15rem}
.hint,.fault{font-size:.88rem;line-height:1.45;margin:0}
.fault{color:var(--bad);font-weight:700}
input{width:100%;min-height:3.1rem;margin:.35rem 0;padding:.6rem .9rem;font:inherit;color:inherit;background:var(--card);border:1.5px solid var(--edge);border-radius:11px}
input:hover{border-color:var(--accent)}
input[aria-invalid=true]{border-color:var(--bad);box-shadow:inset 0 0 0 1px var(--bad)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
button,.button{display:inline-flex;justify-content:center;align-items:center;gap:.5rem;width:100%;min-height:3.25rem;margin-top:1.5rem;padding:.5rem 1.25rem;font:700 1.05rem/1.2 var(--text);cursor:pointer;text-decoration:none;color:var(--on-accent);background:var(--accent);border:2px solid transparent;border-radius:12px;transition:transform .12s,filter .12s}
button:hover,.button:hover{filter:brightness(1.1)}
button:active,.button:active{transform:translateY(1px)}
button[aria-busy=true]{opacity:.75}
.beside{display:flex;justify-content:space-between;align-items:baseline;gap:1rem}
.link{all:unset;font:inherit;font-size:.88rem;cursor:pointer;color:var(--accent);text-decoration:underline;text-underline-offset:.18em;padding:.25rem .1rem;margin:-.25rem 0}
.link:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:3px}
.rules{list-style:none;margin:.25rem 0 0;padding:0;font-size:.88rem;line-height:1.45;color:var(--soft)}
.rules li{padding:.1rem 0 .1rem 1.5rem;position:relative}
.rules li::before{content:"";position:absolute;left:.15rem;top:.36rem;width:.75rem;height:.75rem;border:1.5px solid var(--edge);border-radius:50%}
.rules li.met{color:var(--accent)}
.rules li.met::before{background:var(--accent);border-color:var(--accent)}
.rules li.met::after{content:"";position:absolute;left:.4rem;top:.44rem;width:.22rem;height:.42rem;border:solid var(--on-accent);border-width:0 1.5px 1.5px 0;transform:rotate(42deg)}
.rules li.unmet{color:var(--bad)}
.rules li.unmet::before{border-color:var(--bad)}
.alert{background:var(--bad-ground);color:var(--bad);border-radius:11px;padding:.85rem 1.1rem;margin:1rem 0 0}
.alert ul{margin:.3rem 0 0;padding-left:1.2rem}
.alert a{color:inherit}
.small{font-size:.88rem;color:var(--soft);margin:1.1rem 0 0}
.state{font-size:1.1rem;line-height:1.5;margin:0 0 .35rem}
.count{color:var(--soft);font-variant-numeric:tabular-nums;margin:0}
.address{font-weight:700;overflow-wrap:anywhere}
.pill{display:inline-block;font-size:.82rem;font-weight:700;line-height:1.3;padding:.25rem .75rem;margin:0 0 1rem;border-radius:99px;background:var(--warn-ground);color:var(--warn)}
.good .pill{background:var(--accent-ground);color:var(--accent)}
.bad .pill{background:var(--bad-ground);color:var(--bad)}
.steps{list-style:none;margin:.25rem 0 0;padding:0}
.steps li{position:relative;display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;padding:.4rem 0 .4rem 1.7rem}
.steps li::before{content:"";position:absolute;left:.25rem;top:.85rem;width:.7rem;height:.7rem;border-radius:50%;background:var(--accent)}
.steps li:not(:last-child)::after{content:"";position:absolute;left:.54rem;top:1.5rem;bottom:-.85rem;width:2px;background:var(--line)}
.steps time,.steps .after{color:var(--soft);font-variant-numeric:tabular-nums}
.waiting .steps li:last-child::before{background:var(--sun)}
.bad .steps li:last-child::before{background:var(--bad)}
.next{border-top:1px dashed var(--line);margin-top:1.5rem}
.next .button{margin:.5rem 0 .75rem}
.next ul{margin:.25rem 0 0;padding-left:1.15rem}
.next li{padding:.2rem 0}
footer{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.25rem 1rem;padding:1rem .5rem;color:var(--soft);font-size:.88rem}
[hidden]{display:none!important}
`;

/** The one style sheet of the pages. */
export const STYLE = [FONT_FACES, BRAND_CSS, PAGE, ART].join("");

/** Changes with the style sheet, so that browsers may cache it forever. */
export const STYLE_HREF = `/style.css?v=${createHash("sha256").update(STYLE).digest("hex").slice(0, 12)}`;
