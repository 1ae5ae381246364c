import type { Recipient } from "../../database/users/recipients.ts";
import { instruments } from "../../observability/metrics.ts";
import type { Attempt, Claim, Outcome } from "../engine/handler.ts";
import { classify, NO_SUCH_ADDRESS } from "./classify.ts";
import { wireAddress } from "./headers.ts";
import type { Message } from "./message.ts";
import { keptReply } from "./smtp/kept-reply.ts";
import type { SmtpPool } from "./smtp/pool.ts";

export interface SendDeps {
  readonly group: string;
  readonly pool: SmtpPool;
  /** Minimum delay after greylisting, in ms. */
  readonly greylistMs: number;
  /** Suppresses an address that does not exist; resolves when that is written, or when asked to stop. */
  readonly suppress: (recipient: Recipient, eventId: string, signal: AbortSignal) => Promise<void>;
  /** Monotonic, ms. */
  readonly now: () => number;
}

/** A mail before it is built for an address. */
export interface MailToSend {
  readonly recipient: Recipient;
  /** The envelope's sender, to whom a mail that cannot be delivered returns. */
  readonly from: string;
  /** Makes the message for the address of the envelope. */
  readonly build: (to: string) => Message | Promise<Message>;
}

/**
 * Sends one mail; returns the outcome. The commit point lies between the server's 354 and the first byte of the
 * body.
 */
export const sendMail = async (
  { group, pool, greylistMs, suppress, now }: SendDeps,
  { recipient, from, build }: MailToSend,
  claim: Pick<Claim<unknown>, "eventId" | "ageMs" | "isDoubtful" | "isSlow" | "failures">,
  attempt: Attempt,
): Promise<Outcome> => {
  const startedAt = now();
  const address = wireAddress(recipient.email);
  if (address.kind === "unusable") return { kind: "rejected", reason: address.reason };
  const message = await build(address.address);
  const { isDoubtful, isSlow, failures } = claim;
  const begins = () => attempt.begins();
  const beforeBody = () => attempt.commit();
  const { raw, wire } = message;
  const outgoing = { from, to: address.address, raw, wire, begins, beforeBody, isDoubtful, isSlow, failures };
  const result = await pool.send(outgoing, attempt.signal);
  if (result.kind === "accepted") {
    // The server has all of it; after a failure, some of it may still be on its way to a socket.
    message.release();
    const waitedMs = claim.ageMs + now() - startedAt;
    instruments().timeToInbox.record(waitedMs / 1_000, { "messaging.consumer.group.name": group });
    return { kind: "done", receipt: message.messageId, reply: keptReply(result.reply, address.address) };
  }
  const outcome = classify(result.failure, { greylistMs, recipient: address.address, domain: address.domain });
  if (outcome.kind === "rejected" && outcome.reason === NO_SUCH_ADDRESS) {
    await suppress(recipient, claim.eventId, attempt.signal);
  }
  const asked: unknown = attempt.signal.reason;
  // The reason of the abort: `stopped`, `lease_lost`, ...
  return outcome.kind === "released" && typeof asked === "string" ? { ...outcome, reason: asked } : outcome;
};
