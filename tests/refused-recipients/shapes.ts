/** What a mail server says, when; without a reply it is silent. */
export interface Answer {
  readonly afterMs?: number;
  readonly reply?: string;
  /** It ends the connection, after the reply if there is one; `reset`: by a RST. */
  readonly ends?: "close" | "reset";
}

/** Recipients that a mail server refuses, and others. */
export interface Shape {
  readonly name: string;
  readonly bad: number;
  readonly good: number;
  /** The bad ones are spread among the good ones instead of queued before them. */
  readonly isMixed?: boolean;
  /** So many good ones arrive a second, with the bad ones among them; all are there before the consumer starts if not given. */
  readonly goodPerSecond?: number;
  /** What is said about a bad one, so many ms after the consumer started, by its number; undefined: it is taken. */
  readonly answer: Answer | ((sinceMs: number, number: number) => Answer | undefined);
  /** What is said about a good one, so many ms after the consumer started: anew for each run. */
  readonly limit?: () => (sinceMs: number) => Answer | undefined;
  /** When it is said; at RCPT TO if not given. */
  readonly at?: "rcpt" | "data" | "whole";
  /** Domains of the bad ones (0: those of the good ones) and of the good ones; as many as mails if not given. */
  readonly badDomains?: number;
  readonly goodDomains?: number;
  /** Until the server answers a body, in ms; and until it greets. */
  readonly mailMs?: number;
  readonly greetingMs?: number;
  readonly pipelines?: boolean;
  readonly consumers?: number;
  /** The first consumer is killed so many ms after it started, and another one started. */
  readonly killAfterMs?: number;
  readonly settings?: Readonly<Record<string, string>>;
  /** Of the good ones' rate so much is left at least, as long as no more is possible; four fifths if not given. */
  readonly share?: number;
  /** Only measured on demand: it takes too long, or a process is killed. */
  readonly isLong?: boolean;
}

const tarpit: Answer = { afterMs: 1_000, reply: "421 4.7.0 try again later" };
const blocked: Answer = { afterMs: 1_000, reply: "550 5.7.1 blocked" };
const silence: Answer = {};
const atOnce: Answer = { reply: "421 4.7.0 try again later" };
const unknown: Answer = { reply: "550 5.1.1 no such user" };
const MINUTE_MS = 60_000;

export const SHAPES: readonly Shape[] = [
  { name: "421 after 1 s", bad: 2_000, good: 500, answer: tarpit, goodDomains: 1 },
  { name: "550 after 1 s", bad: 2_000, good: 500, answer: blocked, goodDomains: 1 },
  { name: "550 after 1 s", bad: 2_000, good: 500, answer: blocked, goodDomains: 20 },
  { name: "421 after 1 s", bad: 500, good: 500, isMixed: true, answer: tarpit, goodDomains: 1 },
  { name: "421 after 1 s", bad: 100, good: 900, isMixed: true, answer: tarpit, goodDomains: 20 },
  {
    name: "421 after 1 s, one domain",
    bad: 200,
    good: 600,
    isMixed: true,
    answer: tarpit,
    badDomains: 1,
    goodDomains: 1,
  },
  { name: "silence", bad: 200, good: 600, isMixed: true, answer: silence, goodDomains: 1 },
  {
    name: "silence, of the good ones' domain",
    share: 0.78,
    bad: 60,
    good: 600,
    isMixed: true,
    answer: silence,
    badDomains: 0,
    goodDomains: 1,
  },
  { name: "421 at once", bad: 2_000, good: 500, answer: atOnce, goodDomains: 1 },
  { name: "421 after 1 s, all domains new", bad: 200, good: 800, isMixed: true, answer: tarpit, share: 0.68 },
  { name: "550 after 1 s, all domains new", bad: 2_000, good: 500, answer: blocked, isLong: true },
  {
    name: "421 after 3 s, greeting 100 ms",
    bad: 200,
    good: 600,
    isMixed: true,
    answer: { ...tarpit, afterMs: 3_000 },
    goodDomains: 5,
    greetingMs: 100,
  },
  { name: "421 at once", bad: 60, good: 30, answer: atOnce, badDomains: 1, goodDomains: 1 },
  { name: "421 at once", bad: 500, good: 300, answer: atOnce, goodDomains: 5 },
  {
    name: "421 at once, three domains",
    bad: 500,
    good: 300,
    answer: atOnce,
    badDomains: 3,
    goodDomains: 3,
  },
  { name: "421 at once, all domains new", bad: 500, good: 300, isMixed: true, answer: atOnce },
  { name: "421 after 1 s", bad: 300, good: 300, answer: tarpit, goodDomains: 3 },
  { name: "421 after 1 s", bad: 300, good: 300, isMixed: true, answer: tarpit, goodDomains: 3 },
  { name: "silence", bad: 300, good: 300, isMixed: true, answer: silence, goodDomains: 4 },
  // From here on: mails that arrive, other answers, several consumers.
  { name: "550 after 1 s, all domains new", bad: 5_000, good: 50, answer: blocked, isLong: true },
  { name: "421 at once, all domains new", bad: 5_000, good: 50, answer: atOnce },
  {
    name: "550 after 1 s, arriving",
    isLong: true,
    bad: 1_500,
    good: 600,
    isMixed: true,
    goodPerSecond: 20,
    answer: blocked,
    goodDomains: 20,
  },
  {
    name: "421 after 10 s, arriving, new",
    isLong: true,
    bad: 1_500,
    good: 600,
    isMixed: true,
    goodPerSecond: 20,
    answer: { ...tarpit, afterMs: 10_000 },
  },
  {
    name: "550 after 1 s, 3 consumers",
    bad: 3_000,
    good: 1_000,
    answer: blocked,
    goodDomains: 20,
    consumers: 3,
  },
  { name: "550 at DATA", bad: 400, good: 400, isMixed: true, answer: blocked, at: "data", goodDomains: 5 },
  { name: "550 to the body", share: 0.7, bad: 400, good: 400, answer: blocked, at: "whole", goodDomains: 5 },
  {
    name: "451 to the body, mixed",
    share: 0.74,
    bad: 400,
    good: 400,
    isMixed: true,
    answer: { afterMs: 1_000, reply: "451 4.7.0 not now" },
    at: "whole",
    goodDomains: 5,
  },
  {
    name: "silence to the body",
    share: 0.76,
    bad: 200,
    good: 400,
    isMixed: true,
    answer: silence,
    at: "whole",
    goodDomains: 5,
  },
  {
    name: "550 5.1.1, good ones' domain",
    bad: 180,
    good: 420,
    isMixed: true,
    answer: unknown,
    badDomains: 0,
    goodDomains: 1,
  },
  {
    name: "450 after 10 s, good ones' domain",
    share: 0.58,
    bad: 180,
    good: 420,
    isMixed: true,
    answer: { afterMs: 10_000, reply: "450 4.2.0 try again later" },
    badDomains: 0,
    goodDomains: 1,
  },
  {
    name: "a domain that alternates",
    isLong: true,
    bad: 600,
    good: 1_200,
    isMixed: true,
    goodPerSecond: 20,
    answer: (sinceMs) => (Math.floor((3 * sinceMs) / MINUTE_MS) % 2 === 0 ? tarpit : undefined),
    badDomains: 1,
    goodDomains: 10,
  },
  {
    name: "retries while new ones arrive",
    isLong: true,
    bad: 500,
    good: 1_000,
    goodPerSecond: 20,
    answer: { afterMs: 1_000, reply: "450 4.2.0 try again later" },
    goodDomains: 10,
    settings: { RETRY_DELAY_MS: "10000" },
  },
  {
    name: "few attempts, mixed",
    bad: 500,
    good: 500,
    isMixed: true,
    answer: { reply: "450 4.2.0 try again later" },
    badDomains: 0,
    goodDomains: 5,
    settings: { RETRY_MAX: "1" },
  },
  {
    name: "cut at once, all domains new",
    bad: 400,
    good: 400,
    isMixed: true,
    answer: { ends: "reset" },
  },
  {
    name: "silence to the body, arriving",
    bad: 100,
    good: 400,
    isMixed: true,
    goodPerSecond: 20,
    answer: silence,
    at: "whole",
    goodDomains: 10,
  },
  {
    name: "silence to the body, arriving, slow",
    bad: 100,
    good: 400,
    isMixed: true,
    goodPerSecond: 20,
    answer: silence,
    at: "whole",
    goodDomains: 10,
    mailMs: 400,
  },
  {
    name: "silence to the body, arriving, new",
    isLong: true,
    bad: 100,
    good: 1_200,
    isMixed: true,
    goodPerSecond: 20,
    answer: silence,
    at: "whole",
  },
  {
    name: "550 after 1 s, all domains new",
    bad: 1_000,
    good: 1_000,
    isMixed: true,
    answer: blocked,
    share: 0.4,
    isLong: true,
  },
  {
    name: "taken after 1 s, all domains new",
    bad: 60,
    good: 540,
    isMixed: true,
    answer: { afterMs: 1_000 },
    share: 0.68,
  },
  { name: "550 after 1 s, all domains new", bad: 300, good: 300, answer: blocked, share: 0.72 },
  {
    name: "550 after 1 s, killed after 3 s",
    isLong: true,
    bad: 2_000,
    good: 1_000,
    answer: blocked,
    goodDomains: 20,
    killAfterMs: 3_000,
  },
];

/** The kind and domain of each mail, in the order of the signups. */
export const mailsOf = (
  shape: Shape,
  withBad: boolean,
): readonly { readonly isBad: boolean; readonly domain: string }[] => {
  const { bad, good, isMixed = false, badDomains = bad, goodDomains = good } = shape;
  const all = withBad ? bad + good : good;
  let soFar = 0;
  return Array.from({ length: all }, (_, index) => {
    const due = isMixed ? Math.floor(((index + 1) * bad) / all) : Math.min(bad, index + 1);
    const isBad = withBad && due > soFar;
    if (isBad) soFar = due;
    const ofGood = `inbox-${index % goodDomains}.example`;
    return { isBad, domain: isBad && badDomains > 0 ? `other-${index % badDomains}.example` : ofGood };
  });
};
