import { BRAND_CSS } from "../../runtime/brand/css.ts";
import { FONT_FACES } from "../../runtime/brand/fonts.ts";

/** The style of the inbox: that of the pages whose mails it shows. */
export const STYLE = `${FONT_FACES}${BRAND_CSS}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:1rem/1.5 var(--text)}
header,main{max-width:60rem;margin:0 auto;padding:0 1rem}
header{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem 1.25rem;padding-top:1rem;padding-bottom:1rem}
header .brand{display:inline-flex;align-items:center;gap:.6rem;font-weight:700;font-size:1.2rem;letter-spacing:-.02em;color:inherit;text-decoration:none}
form{margin:0}
search{flex:1;min-width:14rem}
.search{display:flex;gap:.5rem}
input{flex:1;min-width:0;min-height:2.75rem;padding:.4rem .9rem;font:inherit;color:inherit;background:var(--card);border:1.5px solid var(--edge);border-radius:10px}
button,.tool{min-height:2.75rem;padding:.4rem 1rem;font:700 .95rem/1.2 var(--text);cursor:pointer;color:var(--accent);background:var(--card);border:1.5px solid var(--edge);border-radius:10px;text-decoration:none;display:inline-flex;align-items:center}
button:hover,.tool:hover{border-color:var(--accent)}
button.bad{color:var(--bad)}button.bad:hover{border-color:var(--bad)}
h1{font-size:1.5rem;line-height:1.25;letter-spacing:-.025em;margin:.25rem 0 .75rem;overflow-wrap:anywhere}
a{color:var(--accent);text-underline-offset:.18em}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.bar{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:center;gap:.5rem 1rem;margin:0 0 .75rem}
.bar .bar{margin:0}
::placeholder{color:var(--soft);opacity:1}
.quiet{color:var(--soft);font-size:.9rem;overflow-wrap:anywhere;margin:0}
.list{list-style:none;margin:0 0 2rem;padding:0;background:var(--card);border-radius:14px;border:1px solid var(--line);overflow:hidden}
.list li+li{border-top:1px solid var(--line)}
.list a{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:0 1rem;padding:.75rem 1.1rem;text-decoration:none;color:inherit;border-left:4px solid transparent}
.list a:hover{background:var(--accent-ground);border-left-color:var(--accent)}
.list a:focus-visible{outline-offset:-3px}
.subject{font-weight:700;overflow-wrap:anywhere}
time{font-variant-numeric:tabular-nums}
nav{display:flex;flex-wrap:wrap;gap:.25rem;margin:1rem 0 0}
nav a{padding:.55rem 1rem;border-radius:10px 10px 0 0;text-decoration:none;font-weight:700;font-size:.95rem}
nav a[aria-current]{background:var(--card);color:var(--ink);box-shadow:0 0 0 1px var(--line)}
.panel{position:relative;background:var(--card);border:1px solid var(--line);border-radius:0 12px 12px 12px;overflow:hidden;margin-bottom:2rem}
iframe{display:block;width:100%;height:max(44rem,calc(100vh - 20rem));border:0;background:Canvas}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0;padding:1rem 1.2rem;font:.85rem/1.55 var(--mono)}
.panel ul{margin:0;padding:1rem 1.2rem 1rem 2.2rem}.panel li{overflow-wrap:anywhere;padding:.2rem 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:0;font-size:.95rem}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.empty{text-align:center;padding:4rem 1rem;color:var(--soft)}
@media(max-width:34rem){search{flex-basis:100%}.list a{grid-template-columns:1fr}dl{grid-template-columns:1fr}dd{margin-bottom:.35rem}nav{gap:0}nav a{padding:.5rem .55rem;font-size:.9rem}}
`;
