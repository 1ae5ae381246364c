import { createHash } from "node:crypto";
import type { DkimKey } from "../../runtime/dkim-keys.ts";

/** A mail with its signatures before it. */
export type SignMail = (raw: Buffer) => Promise<Buffer>;

/**
 * Signed once more than they occur, so that a header of the name that is added on the way breaks the signature (RFC 6376,
 * 8.15): a mail with a second `From` may show another sender than the one that was checked.
 */
const ALSO_WHEN_ABSENT = ["from", "to", "cc", "subject", "reply-to"];

/** A line may have 76 characters: a space, `b=`, and this many of a value in base64. */
const VALUE_WIDTH = 73;

const ALGORITHMS = {
  rsa: { tag: "rsa-sha256", parameters: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } },
  ed25519: { tag: "ed25519-sha256", parameters: { name: "Ed25519" } },
} as const;

const sha256 = (text: string): Buffer => createHash("sha256").update(text, "latin1").digest();

const folded = (value: string): string => (value.match(new RegExp(`.{1,${VALUE_WIDTH}}`, "g")) ?? []).join("\r\n ");

/** The `relaxed` form of a header, of which `field` is the whole text without the last line break (RFC 6376, 3.4.2). */
const relaxedHeader = (field: string): string => {
  const colon = field.indexOf(":");
  const value = field.slice(colon + 1).replaceAll("\r\n", "");
  return `${field.slice(0, colon).trim().toLowerCase()}:${value.replace(/[ \t]+/g, " ").trim()}`;
};

/** The `relaxed` form of a body (RFC 6376, 3.4.4). Lines of ours have at most 76 characters. */
const relaxedBody = (body: string): string =>
  body
    .replace(/[ \t]+/g, " ")
    .replaceAll(" \r\n", "\r\n")
    .replace(/(?:\r\n)*$/, "\r\n");

interface Canonical {
  /** The names of the signed headers, for `h=`. */
  readonly names: string;
  readonly headers: string;
  /** Base64 of the hash of the body. */
  readonly bodyHash: string;
}

/** What every signature of a mail is about: each of its headers, and its body. */
const canonicalOf = (raw: Buffer): Canonical => {
  const text = raw.toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  const fields = text
    .slice(0, end)
    .split(/\r\n(?![ \t])/)
    .map(relaxedHeader);
  const names = fields.map((field) => field.slice(0, field.indexOf(":")));
  return {
    names: [...names, ...ALSO_WHEN_ABSENT].join(":"),
    // Of a name that occurs twice the last header is signed first; none of ours does.
    headers: fields.map((field) => `${field}\r\n`).join(""),
    bodyHash: sha256(relaxedBody(text.slice(end + 4))).toString("base64"),
  };
};

type Signer = (mail: Canonical) => Promise<string>;

const createSigner = ({ domain, selector, privateKey }: DkimKey): Signer => {
  const algorithm = privateKey.asymmetricKeyType === "ed25519" ? ALGORITHMS.ed25519 : ALGORITHMS.rsa;
  const { tag, parameters } = algorithm;
  const der = privateKey.export({ format: "der", type: "pkcs8" });
  let imported: Promise<CryptoKey> | undefined;
  return async ({ names, headers, bodyHash }) => {
    const field = [
      `DKIM-Signature: v=1; a=${tag}; c=relaxed/relaxed; q=dns/txt;`,
      `d=${domain}; s=${selector};`,
      `h=${names.replaceAll(/(.{1,64})(:|$)/g, "$1$2\r\n ").trimEnd()};`,
      `bh=${bodyHash};`,
      "b=",
    ].join("\r\n ");
    const signed = Buffer.from(headers + relaxedHeader(field), "latin1");
    // Ed25519 signs the hash of what RSA signs itself (RFC 8463, 3).
    const input = algorithm === ALGORITHMS.ed25519 ? createHash("sha256").update(signed).digest() : signed;
    imported ??= crypto.subtle.importKey("pkcs8", der, parameters, false, ["sign"]);
    // In a thread of the runtime's: RSA takes about a millisecond, in which nothing else would happen here.
    const signature = await crypto.subtle.sign(parameters.name, await imported, input);
    return `${field}${folded(Buffer.from(signature).toString("base64"))}\r\n`;
  };
};

/** Signs mails by DKIM (RFC 6376), once with each key; undefined if there is none. For mails as we build them: ASCII, CRLF. */
export const createDkimSigner = (keys: readonly DkimKey[]): SignMail | undefined => {
  if (keys.length === 0) return undefined;
  const signers = keys.map(createSigner);
  return async (raw) => {
    const mail = canonicalOf(raw);
    const signatures = await Promise.all(signers.map((sign) => sign(mail)));
    return Buffer.concat([Buffer.from(signatures.join(""), "latin1"), raw]);
  };
};
