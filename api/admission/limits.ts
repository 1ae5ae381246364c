import { comparisonKey } from "../../database/comparison-key.ts";
import { mailboxOf } from "../../runtime/mailbox.ts";
import { RATE_LIMIT_DEFAULTS } from "../../settings/limits.ts";
import type { Settings } from "../../settings/load.ts";
import { COUNTS, type Limit } from "../../stream/scripts/take-limits.ts";
import { isPrivate } from "../client/client.ts";
import { isLargeProvider } from "./large-providers.ts";

/** Who asks to be admitted, and to which address a mail would go. */
export interface Applicant {
  /** As `clientOf` names it. */
  readonly client: string;
  readonly email: string;
  /** SHA-256 of the client's Idempotency-Key, in hex. */
  readonly idempotencyKeyHash?: string | undefined;
}

/** A limit that is in force. The name is shown to clients, and in metrics. */
export interface AdmissionLimit extends Limit {
  readonly name: LimitName;
  /** The limit as `RateLimit-Policy` has it. */
  readonly policy: string;
  /** A default does not count clients on private networks: they are programs of the operator's, or a proxy that is not trusted yet. */
  readonly sparesPrivate: boolean;
  /** All processes together never exceed it. A default may be exceeded by what a process admits before it learns of others. */
  readonly isExact: boolean;
  /** Whether an answer says what is left of it. Of an address it would tell that somebody else used it within the hour. */
  readonly isTold: boolean;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How long it is remembered what was admitted to a mailbox: as long as the longest limit looks back. */
export const KEEP_MS = HOUR_MS;

const ALL_MEMBERS = COUNTS.newMember + COUNTS.sameMember;

/**
 * Limits of what a request costs, and of the mail that follows it. A repeat under the same Idempotency-Key makes nothing new:
 * it has a limit of its own, of the same size as its client's. An address that was admitted before gets no further mail by a
 * signup, and by `resend` no more than Postgres allows: only its client, and all together, are counted. Where it may not be told
 * whether an address is known, it is counted as any other: else an address that is still admitted when its mailbox is used up
 * has signed up within the hour.
 */
const DEFINITIONS = {
  client: { setting: "RATE_LIMIT_PER_IP", periodMs: MINUTE_MS, counts: ALL_MEMBERS },
  repeat: { setting: "RATE_LIMIT_PER_IP", periodMs: MINUTE_MS, counts: COUNTS.sameToken },
  address: { setting: "RATE_LIMIT_PER_ADDRESS", periodMs: HOUR_MS, counts: COUNTS.newMember },
  domain: { setting: "RATE_LIMIT_PER_DOMAIN", periodMs: HOUR_MS, counts: COUNTS.newMember },
  global: { setting: "RATE_LIMIT_GLOBAL", periodMs: MINUTE_MS, counts: ALL_MEMBERS },
} as const;

export type LimitName = keyof typeof DEFINITIONS;

const NAMES = ["client", "repeat", "address", "domain", "global"] as const satisfies readonly LimitName[];

/** The limits that the settings ask for; the client's is the first, if there is one. */
export const limitsOf = (
  settings: Pick<Settings, keyof typeof RATE_LIMIT_DEFAULTS> & Partial<Pick<Settings, "SIGNUP_DISCLOSURE">>,
): readonly AdmissionLimit[] =>
  NAMES.map((name) => {
    const { setting, periodMs, counts: usually } = DEFINITIONS[name];
    const isPrivateMode = settings.SIGNUP_DISCLOSURE === "private";
    const counts = isPrivateMode && usually === COUNTS.newMember ? ALL_MEMBERS : usually;
    const given = settings[setting];
    const sparesPrivate = given === undefined && name !== "address";
    const isOfRecord = name === "address";
    const isExact = given !== undefined;
    const isTold = !isPrivateMode || name === "client" || name === "repeat";
    const quota = given ?? RATE_LIMIT_DEFAULTS[setting];
    const policy = `"${name}";q=${quota};w=${periodMs / 1_000}`;
    return { name, policy, quota, periodMs, counts, isOfRecord, sparesPrivate, isExact, isTold };
  }).filter(({ quota }) => quota > 0);

/** What an applicant is counted by, found out once. */
export interface Subject {
  readonly client: string;
  /** As `canonicalMailbox` spells it. */
  readonly mailbox: string;
  /** As the applicant spells it, to be compared. */
  readonly spelling: string;
  readonly domain: string;
}

export const subjectOf = ({ client, email }: Applicant): Subject => {
  const { mailbox, domain } = mailboxOf(email);
  return { client, mailbox, spelling: comparisonKey(email), domain };
};

/** What a limit counts by; undefined: it does not count this subject. */
const countedBy = ({ name }: AdmissionLimit, { client, mailbox, domain }: Subject): string | undefined => {
  if (name === "global") return "all";
  if (name === "client" || name === "repeat") return client;
  if (name === "address") return mailbox;
  return isLargeProvider(domain) ? undefined : domain;
};

/** A limit that counts a subject, and what it counts by. */
export interface Counting {
  readonly limit: AdmissionLimit;
  readonly by: string;
}

/** The limits that count a subject. */
export const limitsFor = (limits: readonly AdmissionLimit[], subject: Subject): readonly Counting[] => {
  const isSpared = isPrivate(subject.client);
  const counting: Counting[] = [];
  for (const limit of limits) {
    const by = isSpared && limit.sparesPrivate ? undefined : countedBy(limit, subject);
    if (by !== undefined) counting.push({ limit, by });
  }
  return counting;
};
