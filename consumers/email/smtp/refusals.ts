import type { SmtpFailure } from "./failure.ts";
import { limitOf, turnsAway } from "./limit-words.ts";

/** How a connection is refused as one too many: by the server's words, or without any, while others have some. */
export type OneTooMany = "said" | "unsaid";

/** What a pool knows of others when it is refused a connection. */
export interface Beside {
  /** What they have, as was heard last, and how long ago they had some last, in ms. */
  readonly othersHave: number;
  readonly othersHadMsAgo: number;
  /** It had none of what others gave up for it. */
  readonly cannotReach: boolean;
}

/** Where others had some so lately, the server is not away: one that is handed over is nobody's for a moment. */
const LATELY_MS = 3_000;
/** While nothing is heard, as while Redis is away, they have what they had. */
const UNHEARD_MS = 30_000;
const CLOSED_BY_TCP = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE"]);

/** The server accepted a connection, and said nothing, as some do beyond a limit. */
const isUngreeted = ({ cause }: SmtpFailure): boolean => cause === "GREETING_TIMEOUT";

/**
 * Whether it depends on others what a refusal means: it was closed, or refused by TCP, at once, or the server had no time. What is blocked, not found or not
 * secured has nothing to do with a limit.
 */
export const mayBeUnsaid = (failure: SmtpFailure): boolean => {
  const { code, cause = "", responseCode } = failure;
  if (responseCode !== undefined) return turnsAway(failure);
  return code === "ECONNECTION" || (code === "ESOCKET" && CLOSED_BY_TCP.has(cause));
};

/** Whether a refused connection is one too many; undefined: the server is away. What works for other pools, of any group, is not. Pure. */
export const refusalOf = (failure: SmtpFailure, beside: Beside): OneTooMany | undefined => {
  if (limitOf(failure) === "connections") return "said";
  const haveSome = beside.othersHadMsAgo < (beside.othersHave > 0 ? UNHEARD_MS : LATELY_MS);
  return (mayBeUnsaid(failure) || isUngreeted(failure)) && haveSome && !beside.cannotReach ? "unsaid" : undefined;
};
