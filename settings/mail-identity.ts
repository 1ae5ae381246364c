import { createPrivateKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { mailbox, type Setting, setting, text } from "./values.ts";

/** The token of a delivery, and the `+` before it, take 41 of the 64 characters that a local part may have (RFC 5321, 4.5.3.1.1). */
const MAX_BOUNCE_LOCAL = 23;
/** Shorter keys are refused by verifiers (RFC 8301, 3.2). */
const MIN_RSA_BITS = 1_024;

const LABELS = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

const toKey = (value: string): KeyObject =>
  value.includes("-----BEGIN")
    ? createPrivateKey(value.replaceAll("\\n", "\n"))
    : createPrivateKey({ key: Buffer.from(value, "base64"), format: "der", type: "pkcs8" });

/** A private key of RSA or Ed25519, in PEM (a line break may be written as `\n`), or the base64 of PKCS #8 alone. */
const signingKey: z.ZodType<KeyObject, string> = z.string().transform((value, { addIssue }) => {
  try {
    const key = toKey(value);
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    if (key.asymmetricKeyType === "ed25519" || (key.asymmetricKeyType === "rsa" && bits >= MIN_RSA_BITS)) return key;
  } catch {
    // What is wrong with it is not said: the message of the library may quote it.
  }
  addIssue(`expected a private key of RSA, of at least ${MIN_RSA_BITS} bits, or Ed25519, in PEM`);
  return z.NEVER;
});

const selector = text(63).regex(LABELS, "expected letters, digits and dashes, as a name in DNS");
const EXAMPLE_KEY = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";

/** By which a mail server recognises that a mail is ours, and where a mail goes that it cannot deliver. */
export const MAIL_IDENTITY = {
  MAIL_DKIM_DOMAIN: setting({
    schema: text(253).regex(LABELS, "expected a domain").toLowerCase(),
    example: "toblug.example",
    unit: "",
    about: "Domain that signs mails (DKIM, `d=`). Default: the domain of MAIL_FROM.",
  }),
  MAIL_DKIM_SELECTOR: setting({
    schema: selector,
    example: "2026a",
    unit: "",
    about:
      "Selector of the key that signs mails (DKIM, `s=`); requires MAIL_DKIM_PRIVATE_KEY, and the other way round. Default: mails are not signed here.",
  }),
  MAIL_DKIM_PRIVATE_KEY: setting({
    schema: signingKey,
    example: EXAMPLE_KEY,
    unit: "",
    about: "Private key that signs mails: RSA or Ed25519, in PEM, or the base64 of PKCS #8 alone.",
    secret: true,
  }),
  MAIL_DKIM_SECOND_SELECTOR: setting({
    schema: selector,
    example: "2026b",
    unit: "",
    about: "Selector of a second key, which signs mails as well: while keys are replaced, or for RSA beside Ed25519.",
  }),
  MAIL_DKIM_SECOND_PRIVATE_KEY: setting({
    schema: signingKey,
    example: EXAMPLE_KEY,
    unit: "",
    about: "The second private key.",
    secret: true,
  }),
  MAIL_BOUNCE_ADDRESS: setting({
    schema: mailbox.refine(
      (address) => address.lastIndexOf("@") <= MAX_BOUNCE_LOCAL,
      `expected at most ${MAX_BOUNCE_LOCAL} characters before the @`,
    ),
    example: "bounces@toblug.example",
    unit: "",
    about:
      "Where bounces go: the envelope's sender of a mail is this address with `+` and a signed token of the delivery. For the consumers. Default: MAIL_FROM is the sender.",
  }),
} satisfies Record<string, Setting<unknown>>;

/** Settings of which each needs the other. */
export const MAIL_IDENTITY_PAIRS = [
  ["MAIL_DKIM_SELECTOR", "MAIL_DKIM_PRIVATE_KEY"],
  ["MAIL_DKIM_SECOND_SELECTOR", "MAIL_DKIM_SECOND_PRIVATE_KEY"],
] as const;
