import { readFileSync } from "node:fs";
import { BadSettings } from "./load.ts";

/** In the URL of either store: a file of certificates in PEM, of the authorities that its server's is checked against. */
const ROOT_CERTIFICATE = "sslrootcert";
/** For `sslrootcert`: the authorities that Bun trusts anyway. */
const SYSTEM = "system";

/** A URL without the parameter, and the authorities that it named; undefined: those that Bun trusts. */
export interface WithAuthorities {
  readonly url: URL;
  readonly ca: string | undefined;
  /** Whether the parameter was there. */
  readonly isNamed: boolean;
}

/**
 * Takes `sslrootcert` out of the URL of a store.
 *
 * @throws {BadSettings} if the file cannot be read, or holds no certificate
 */
export const takeAuthorities = (variable: string, text: string): WithAuthorities => {
  const url = new URL(text);
  const file = url.searchParams.get(ROOT_CERTIFICATE);
  url.searchParams.delete(ROOT_CERTIFICATE);
  if (file === null || file === SYSTEM) return { url, ca: undefined, isNamed: file !== null };
  let ca: string;
  try {
    ca = readFileSync(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new BadSettings([`${variable}: ${ROOT_CERTIFICATE} ${JSON.stringify(file)} cannot be read (${code})`]);
  }
  if (!ca.includes("-----BEGIN CERTIFICATE-----")) {
    throw new BadSettings([`${variable}: ${ROOT_CERTIFICATE} ${JSON.stringify(file)} has no certificate in PEM`]);
  }
  return { url, ca, isNamed: true };
};
