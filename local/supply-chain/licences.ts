import type { Package } from "./packages.ts";

/** Licences that ask for no more than to be named, by their SPDX ids. Another one is a decision: add it here, or do without. */
export const ALLOWED: ReadonlySet<string> = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MIT-0",
  // Both of Python, in packages that only developers need.
  "PSF-2.0",
  "Python-2.0",
  "Unlicense",
]);

/** Of tools that are run and neither changed nor passed on: their authors ask for their own files to stay free, and no more. */
const ALLOWED_FOR_TOOLS: ReadonlySet<string> = new Set(["MPL-2.0"]);

/**
 * Whether an SPDX expression (https://spdx.dev/learn/handling-license-info/) can be met by allowed licences alone: one side of
 * each OR, both of each AND. Anything else that it may hold, as WITH, is not allowed. Pure.
 */
export const isAllowed = (expression: string): boolean => {
  const bare = expression.trim().replace(/^\(([^()]*)\)$/, "$1");
  if (bare.includes("(")) return false;
  return bare.split(" OR ").some((side) => side.split(" AND ").every((licence) => ALLOWED.has(licence.trim())));
};

/** Packages whose licence is not allowed, or unknown: each by name, with what it says. */
export const licenceFaults = (packages: readonly Package[]): readonly string[] =>
  packages
    // What belongs to other platforms cannot be read here; nothing that the image needs may be among it.
    .filter(({ isInstalled, isProduction }) => isInstalled || isProduction)
    .filter(({ isProduction, licence = "" }) => isProduction || !ALLOWED_FOR_TOOLS.has(licence))
    .filter(({ licence }) => licence === undefined || !isAllowed(licence))
    .map(({ name, version, licence }) => `${name}@${version}: ${licence ?? "says none"}`);
