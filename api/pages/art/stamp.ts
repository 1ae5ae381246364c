import { postmarkOf } from "./postmark.ts";

const postmarkSvg = (iso: string, timeZone: string): string => {
  const { date, time } = postmarkOf(iso, timeZone);
  return (
    `<g class="postmark" data-at="${iso}"><circle cx="-8" cy="52" r="30"/><circle cx="-8" cy="52" r="23"/>` +
    '<path d="M25 40q6-5 12 0t12 0 12 0 12 0M26 52q6-5 12 0t12 0 12 0 12 0M25 64q6-5 12 0t12 0 12 0 12 0"/>' +
    `<text x="-8" y="50" text-anchor="middle">${date}</text><text x="-8" y="62" text-anchor="middle">${time}</text></g>`
  );
};

/**
 * A postage stamp, 76 x 92: a terrace, a sun, and what it costs. A postmark lies over its corner once the mail is sent; the page's script
 * writes its time in the reader's own time zone, as all others of the page.
 */
export const stampSvg = (sent?: { readonly at: string; readonly timeZone: string }): string =>
  [
    `<svg class="stamp" viewBox="-42 -6 124 104" aria-hidden="true" focusable="false">`,
    '<path class="stamp-paper" d="M0 0h76v92H0z"/><path class="perforation" d="M0 0h76v92H0z"/>',
    '<path class="stamp-sky" d="M8 8h60v62H8z"/><circle class="sun" cx="50" cy="28" r="10"/>',
    '<path class="rice r2" d="M8 46c14-10 24 0 36-6s16-4 24 0v30H8z"/><path class="rice r4" d="M8 58c14-8 26 2 38-4s16-2 22 0v16H8z"/>',
    '<text class="stamp-value" x="68" y="85" text-anchor="end">0₫</text>',
    sent === undefined ? "" : postmarkSvg(sent.at, sent.timeZone),
    "</svg>",
  ].join("");
