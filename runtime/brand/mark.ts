import { LIGHT } from "./palette.ts";

/** Colours of the mark: anything that SVG takes as a paint. */
export interface MarkColours {
  readonly ground: string;
  readonly letter: string;
  readonly flap: string;
}

const OWN: MarkColours = { ground: LIGHT.accent, letter: LIGHT["on-accent"], flap: LIGHT.sun };

/**
 * The mark as SVG, 32 x 32: a letter whose flap is a tick, because a letter that is promised arrives. It has no words: whoever
 * shows it beside the brand's name hides it from screen readers.
 */
export const markSvg = ({ ground, letter, flap } = OWN): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">` +
  `<rect width="32" height="32" rx="9" fill="${ground}"/>` +
  `<rect x="5.5" y="11" width="21" height="14.5" rx="3" fill="${letter}"/>` +
  `<path d="M8.5 14.5l6.5 6L27 6.5" fill="none" stroke="${ground}" stroke-width="6" stroke-linecap="round" stroke-linejoin="round"/>` +
  `<path d="M8.5 14.5l6.5 6L27 6.5" fill="none" stroke="${flap}" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/>` +
  `</svg>`;

/** The mark as the address of an icon. */
export const MARK_HREF = `data:image/svg+xml,${encodeURIComponent(markSvg())}`;
