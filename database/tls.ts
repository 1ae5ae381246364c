import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { BadSettings } from "../settings/load.ts";
import { takeAuthorities } from "../settings/tls.ts";

const MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
type Mode = (typeof MODES)[number];

const isMode = (text: string): text is Mode => MODES.some((mode) => mode === text);

/** How the certificate of a server is checked. */
export interface ServerCheck {
  readonly rejectUnauthorized: true;
  readonly ca?: string;
  readonly checkServerIdentity: (host: string, certificate: PeerCertificate) => Error | undefined;
}

/** An address, and the encryption of its connections; undefined: as the driver reads the address. */
export interface EncryptedAddress {
  readonly url: string;
  readonly ssl?: false | "allow" | "prefer" | "require" | ServerCheck;
}

/**
 * `sslmode` and `sslrootcert` of an address, as libpq understands them: `verify-full` checks the authority and the name,
 * `verify-ca` the authority alone, `require` nothing, unless `sslrootcert` names authorities: then it is `verify-ca`.
 * https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION
 *
 * @throws {BadSettings}
 */
export const encryptionOf = (address: string): EncryptedAddress => {
  const { url, ca, isNamed } = takeAuthorities("DATABASE_URL", address);
  const given = url.searchParams.get("sslmode");
  if (given === null && !isNamed) return { url: address };
  url.searchParams.delete("sslmode");
  const mode = given ?? "verify-full";
  if (!isMode(mode)) {
    throw new BadSettings([`DATABASE_URL: sslmode ${JSON.stringify(mode)} is invalid; expected ${MODES.join(", ")}`]);
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const check = (isNameChecked: boolean): EncryptedAddress => ({
    url: url.href,
    ssl: {
      rejectUnauthorized: true,
      ...(ca === undefined ? {} : { ca }),
      // The driver encrypts a connection that is open: only the address says whom it leads to.
      checkServerIdentity: (_, certificate) => (isNameChecked ? checkServerIdentity(host, certificate) : undefined),
    },
  });
  switch (mode) {
    case "verify-full":
      return check(true);
    case "verify-ca":
      return check(false);
    case "require":
      return isNamed ? check(false) : { url: url.href, ssl: mode };
    case "disable":
      return { url: url.href, ssl: false };
    case "allow":
    case "prefer":
      return { url: url.href, ssl: mode };
  }
};
