import type { Logger } from "../../observability/logger.ts";
import { instruments } from "../../observability/metrics.ts";
import { createRecent } from "../../runtime/recent.ts";
import type { Keys } from "../../stream/keys.ts";
import {
  CANONICAL,
  type Left,
  type LimitAnswer,
  type LimitedRequest,
  type LimitRefusal,
} from "../../stream/scripts/take-limits.ts";
import { ProblemError } from "../problem.ts";
import { createInProcessLimits } from "./in-process.ts";
import {
  type AdmissionLimit,
  type Applicant,
  type Counting,
  KEEP_MS,
  limitsFor,
  type Subject,
  subjectOf,
} from "./limits.ts";
import { rateLimitFields, refusalFields } from "./rate-limit-fields.ts";
import { createSharedLimits } from "./shared-limits.ts";

/** A request that is admitted. */
export interface Admission {
  /** For its answer. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Resolves when all processes together admit it, too. To be awaited before anything is read or written; a hash may be made
   * meanwhile. Undefined: nobody else is asked.
   *
   * @throws {ProblemError} `too_many_requests`
   */
  readonly confirm: (() => Promise<void>) | undefined;
}

/**
 * Admits a request that would cost a hash, a statement or a mail, before it has cost any. Without a promise unless Redis is waited for.
 *
 * @throws {ProblemError} `too_many_requests`, or rejects with it
 */
export type Admit = (applicant: Applicant) => Admission | Promise<Admission>;

export interface AdmissionDeps {
  /** Those in force, as `limitsOf` has them. */
  readonly limits: readonly AdmissionLimit[];
  /** Decides on requests in their order, for all processes. */
  readonly take: (requests: readonly LimitedRequest[]) => Promise<readonly LimitAnswer[]>;
  readonly keys: Keys;
  /** The key of the digests that stand for addresses and clients in Redis: the same in all processes. */
  readonly readDigestKey: () => Promise<Uint8Array>;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly log: Logger;
}

/** Names in a store what a request is about. */
interface Naming {
  limit(name: string, by: string): string;
  record(mailbox: string): string;
  member(spelling: string): string;
}

/** In this process, where nobody looks. */
const PLAIN: Naming = {
  limit: (name, by) => `${name}:${by}`,
  record: (mailbox) => mailbox,
  // Without the blanks and equals signs of a record.
  member: (spelling) => encodeURIComponent(spelling.toWellFormed()),
};

/** 128 bits: enough that nobody finds another text with the same. */
const DIGEST_LENGTH = 22;
/** Keys of limits that are remembered: a client and a domain ask again, and a digest costs as much as all else that is done with a limit. */
const MOST_NAMED = 10_000;
/** Enough for the spellings of one mailbox, and for the keys of those who use it. */
const SHORT = 11;

/**
 * In Redis: no client and no address can be read from its keys, nor guessed without the digests' key. SHA-512/256 does not reveal
 * its state, so that it needs no HMAC to be keyed (NIST FIPS 180-4, 5.3.6).
 */
const namingBy = (keys: Keys, digestKey: Uint8Array): Naming => {
  const prefix = Buffer.from(digestKey).toString("base64url");
  const digest = (text: string): string =>
    Bun.CryptoHasher.hash("sha512-256", `${prefix}:${text}`, "base64url").slice(0, DIGEST_LENGTH);
  const limits = createRecent<string>(MOST_NAMED);
  return {
    limit(name, by) {
      const plain = PLAIN.limit(name, by);
      const known = limits.get(plain);
      if (known !== undefined) return known;
      const key = keys.limit(name, digest(by));
      limits.set(plain, key);
      return key;
    },
    record: (mailbox) => keys.admitted(digest(mailbox)),
    member: (spelling) => digest(spelling).slice(0, SHORT),
  };
};

const requestBy = (
  naming: Naming,
  { mailbox, spelling }: Subject,
  token: string,
  counting: readonly Counting[],
): LimitedRequest => {
  const takes: LimitedRequest["takes"][number][] = [];
  for (const { limit, by } of counting) {
    takes.push({ limit, key: limit.isOfRecord ? undefined : naming.limit(limit.name, by) });
  }
  const member = spelling === mailbox ? CANONICAL : naming.member(spelling);
  return { record: naming.record(mailbox), member, token, takes };
};

const isExact = ({ limit }: Counting): boolean => limit.isExact;

/** Asks again for the digests' key so long after a failure. */
const READ_AGAIN_MS = 1_000;

/** Of most answers. */
const NO_HEADERS: Admission["headers"] = {};
/** Admitted, and nothing more to say: one for all. */
const ADMITTED: Admission = { headers: NO_HEADERS, confirm: undefined };

/** The answer, and what is still to come of all processes together. */
interface Decided {
  readonly answer: LimitAnswer;
  readonly later?: Promise<LimitAnswer | undefined>;
}

/**
 * What is far from every limit, by what this process knows, is admitted at once, and told to the others within some ms; if one of its
 * limits is exact, it is confirmed by all processes while its password is hashed. Close to a limit Redis is waited for, in which all
 * processes count; while it is away, each process counts for itself. What this process knows to be refused is refused without asking.
 */
export const createAdmission = (deps: AdmissionDeps): Admit => {
  const { limits, keys, readDigestKey, now } = deps;
  const shared = createSharedLimits(deps);
  const ofRecord = limits.find(({ isOfRecord }) => isOfRecord);
  const own = createInProcessLimits({ now, keepMs: KEEP_MS, ofRecord });
  let naming: Naming | undefined;
  let readAt = Number.NEGATIVE_INFINITY;

  /** Not waited for: until the key is known, the limits are this process's own. */
  const readKey = (): void => {
    if (now() - readAt < READ_AGAIN_MS) return;
    readAt = now();
    readDigestKey().then(
      (key) => {
        naming = namingBy(keys, key);
      },
      // Postgres is away: then no signup succeeds, and its answer says so.
      () => {},
    );
  };
  readKey();

  /** Learns from what all processes together have answered. Functions apart from `decide`, whose every call would make a scope for them. */
  const learning =
    (request: LimitedRequest) =>
    (answer: LimitAnswer | undefined): LimitAnswer | undefined => {
      if (answer?.kind === "refused") own.learn(request, answer);
      return answer;
    };

  const decideTogether = async (request: LimitedRequest, sharedRequest: LimitedRequest): Promise<Decided> => {
    const answer = learning(request)(await shared.take(sharedRequest));
    if (answer?.kind === "refused") return { answer };
    // Others were admitted meanwhile.
    const latest = own.decide(request);
    latest.commit();
    return { answer: answer ?? latest.answer };
  };

  /** Without a promise unless Redis is waited for: a turn of the event loop costs as much as the decision. */
  const decide = (subject: Subject, token: string, counting: readonly Counting[]): Decided | Promise<Decided> => {
    const request = requestBy(PLAIN, subject, token, counting);
    const decision = own.decide(request);
    if (naming === undefined) readKey();
    const isRefused = decision.answer.kind === "refused";
    // Another process may know it as a repeat.
    const mayBeRepeated = request.token !== "" && !decision.isRepeated;
    if (naming === undefined || (isRefused && !mayBeRepeated)) {
      decision.commit();
      return decision;
    }
    const sharedRequest = requestBy(naming, subject, token, counting);
    if (!decision.isFarFromLimits) return decideTogether(request, sharedRequest);
    decision.commit();
    const { answer } = decision;
    const learn = learning(request);
    if (counting.some(isExact)) return { answer, later: shared.take(sharedRequest).then(learn) };
    shared.takeLater(sharedRequest, learn);
    return decision;
  };

  const admitted = (limit: AdmissionLimit, left: Left | undefined): Admission =>
    left !== undefined && limit.isTold ? { headers: rateLimitFields(limit, left), confirm: undefined } : ADMITTED;

  const takesOfFirst = ofRecord === undefined ? [] : [{ limit: ofRecord }];
  let ofFirst: Admission | undefined;

  /** As nearly all are by default: nobody has asked for the mailbox before, and nothing but its own limit counts. Undefined: decide on it. */
  const admitFirst = ({ mailbox, spelling }: Subject, limit: AdmissionLimit): Admission | undefined => {
    if (naming === undefined || limit !== ofRecord || limit.isExact || spelling !== mailbox) return undefined;
    const answer = own.admitFirst(mailbox);
    if (answer === undefined) return undefined;
    const request = { record: naming.record(mailbox), member: CANONICAL, token: "", takes: takesOfFirst };
    shared.takeLater(request, (later) => {
      if (later?.kind === "refused") own.learn({ ...request, record: mailbox }, later);
    });
    // The same for each.
    ofFirst ??= admitted(limit, answer.left);
    return ofFirst;
  };

  const refused = (counting: readonly Counting[], { by, waitMs }: LimitRefusal): ProblemError => {
    const refusing = counting[by]?.limit;
    if (refusing === undefined) throw new Error("a limit refused that does not count the request");
    instruments().admissionRefused.add(1, { "signup.limit": refusing.name });
    return new ProblemError("too_many_requests", { headers: refusalFields(refusing, waitMs) });
  };

  const confirmingBy =
    (counting: readonly Counting[], later: Promise<LimitAnswer | undefined>): (() => Promise<void>) =>
    async () => {
      const confirmed = await later;
      if (confirmed?.kind === "refused") throw refused(counting, confirmed);
    };

  const admitBy = (subject: Subject, counting: readonly Counting[], token: string) => {
    const [first] = counting;
    if (first === undefined) return ADMITTED;
    const admit = ({ answer, later }: Decided): Admission => {
      if (answer.kind === "refused") throw refused(counting, answer);
      const { headers } = admitted(first.limit, answer.left);
      return later === undefined && headers === NO_HEADERS
        ? ADMITTED
        : { headers, confirm: later && confirmingBy(counting, later) };
    };
    const decided = decide(subject, token, counting);
    return decided instanceof Promise ? decided.then(admit) : admit(decided);
  };

  return (applicant) => {
    if (limits.length === 0) return ADMITTED;
    const subject = subjectOf(applicant);
    const counting = limitsFor(limits, subject);
    const token = applicant.idempotencyKeyHash?.slice(0, SHORT) ?? "";
    const [only] = counting;
    const isAlone = only !== undefined && counting.length === 1 && token === "";
    return (isAlone ? admitFirst(subject, only.limit) : undefined) ?? admitBy(subject, counting, token);
  };
};
