import { z } from "zod";
import { type Setting, setting } from "./values.ts";

/** How a webhook's body is written: as Standard Webhooks has it, or as a CloudEvents 1.0 event in structured mode. */
export const CONTENT_TYPES = ["application/json", "application/cloudevents+json"] as const;
export type WebhookContentType = (typeof CONTENT_TYPES)[number];

/** A receiver of webhooks. `url` and `secrets` are needed where its webhooks are sent: api and ops may lack them. */
export interface Receiver {
  readonly name: string;
  /** Patterns of event types. */
  readonly events: readonly string[];
  readonly contentType: WebhookContentType;
  readonly url?: string;
  /** `whsec_...`, the current one first: a request carries a signature by each. */
  readonly secrets?: readonly string[];
}

/** Longer names would exceed those of groups: `webhook-` is part of those. */
const MAX_NAME = 24;
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const EXPECTED_NAME = `lower-case letters, digits and single dashes, beginning with a letter, at most ${MAX_NAME} characters`;

const wordsOf = (value: string, separator: RegExp): readonly string[] =>
  value.split(separator).filter((word) => word !== "");

/** Names of receivers, separated by commas. */
export const receiverNames: z.ZodType<readonly string[], string> = z
  .string()
  .transform((value) => wordsOf(value, /[\s,]+/))
  .superRefine((names, { addIssue }) => {
    for (const name of names) {
      if (NAME.test(name) && name.length <= MAX_NAME) continue;
      addIssue(`${JSON.stringify(name)} cannot name a receiver, expected ${EXPECTED_NAME}`);
    }
    const twice = new Set(names.filter((name, at) => names.indexOf(name) !== at));
    if (twice.size > 0) addIssue(`${[...twice].join(", ")} is named twice`);
  });

/** Standard Webhooks asks for 24 to 64 random bytes. */
const isSecret = (word: string): boolean => {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(word)?.[1];
  if (encoded === undefined || encoded.length % 4 !== 0) return false;
  const { length } = Buffer.from(encoded, "base64");
  return length >= 24 && length <= 64;
};

const secrets: z.ZodType<readonly string[], string> = z
  .string()
  .transform((value) => wordsOf(value, /\s+/))
  .refine(
    (words) => (words.length === 1 || words.length === 2) && words.every(isSecret),
    "expected one secret, or two separated by a space while one replaces the other: whsec_ and 24 to 64 bytes in base64",
  );

const receiverUrl = z.string().refine((value) => {
  const parsed = URL.parse(value);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return false;
  return parsed.username === "" && parsed.password === "";
}, "expected a URL that begins with https://, without user name and password");

const patterns: z.ZodType<readonly string[], string> = z
  .string()
  .transform((value) => wordsOf(value, /[\s,]+/))
  .refine(
    (words) => words.length > 0 && words.every((word) => /^([a-z0-9_]+|\*|#)(\.([a-z0-9_]+|\*|#))*$/.test(word)),
    "expected patterns of event types, separated by commas",
  );

const EXAMPLE_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** The settings of one receiver, by the last part of their names. */
export const RECEIVER_SETTINGS = {
  URL: setting({
    schema: receiverUrl,
    example: "https://crm.example/hooks",
    unit: "",
    about: "Where the webhooks of this receiver are sent. `http://` only with WEBHOOK_ALLOW_PRIVATE.",
  }),
  SECRET: setting({
    schema: secrets,
    example: EXAMPLE_SECRET,
    unit: "",
    about:
      "Secret of the signature: `whsec_` and 24 to 64 bytes in base64. Two, separated by a space, while one replaces the other.",
    secret: true,
  }),
  EVENTS: setting({
    schema: patterns,
    fallback: "user.#",
    example: "user.#",
    unit: "",
    about: "Patterns of the event types that this receiver gets, separated by commas.",
  }),
  CONTENT_TYPE: setting({
    schema: z.enum(CONTENT_TYPES, `expected ${CONTENT_TYPES.join(" or ")}`),
    fallback: CONTENT_TYPES[0],
    example: CONTENT_TYPES[0],
    unit: "",
    about: `How the body is written; \`${CONTENT_TYPES[1]}\`: a CloudEvents 1.0 event in structured mode.`,
  }),
} satisfies Record<string, Setting<unknown>>;

export type ReceiverSetting = keyof typeof RECEIVER_SETTINGS;
/** The name of a receiver's setting: `WEBHOOK_CRM_URL`. */
export type ReceiverVariable = `WEBHOOK_${string}`;

/** The variable of a receiver's setting: `audit-log`, `URL` -> `WEBHOOK_AUDIT_LOG_URL`. */
export const receiverVariable = (name: string, part: ReceiverSetting): ReceiverVariable =>
  `WEBHOOK_${name.toUpperCase().replaceAll("-", "_")}_${part}`;

/** The settings that a receiver's webhooks cannot be sent without. */
export const requiredOfReceiver = (name: string): readonly ReceiverVariable[] => [
  receiverVariable(name, "URL"),
  receiverVariable(name, "SECRET"),
];
