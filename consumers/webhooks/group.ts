import { z } from "zod";
import { findWebhookFacts } from "../../database/webhooks/facts.ts";
import { type Resolve, resolveHost } from "../../runtime/webhook/resolve.ts";
import { sendWebhook } from "../../runtime/webhook/send.ts";
import { requireReceiver } from "../../settings/load.ts";
import { type Receiver, requiredOfReceiver } from "../../settings/webhooks.ts";
import { type WebhookContent, webhookBody } from "../../stream/events/webhook.ts";
import { webhookGroupName } from "../../stream/groups.ts";
import { defineGroup, type GroupFactory, policyOf } from "../engine/factory.ts";
import type { Outcome, Prepared } from "../engine/handler.ts";
import { classify, patienceMs } from "./classify.ts";
import { contentOf, referenceOf } from "./payload.ts";

/** What the work of a webhook needs: its content, or that there can be none. */
type Input = WebhookContent | "malformed";

/** Why there is nothing to send, by what an event is about. */
const CANCEL_REASONS = {
  user: "no_such_user",
  verified_user: "no_such_user",
  transaction: "no_such_transaction",
  internal: "internal_event",
  none: "no_such_event",
} as const;

/** How a receiver is reached, where a test has another way. */
export interface Reach {
  readonly resolve: Resolve;
  /** Certificate authorities in place of the system's. */
  readonly ca?: string;
}

/**
 * What makes the consumer of a receiver of webhooks: it sends each event in a signed request. Idempotent, because a receiver
 * recognises a duplicate by the event's id. A receiver that asks for patience gets it: until that time, nothing is sent.
 */
export const factoryFor = (receiver: Receiver, reach: Reach = { resolve: resolveHost }): GroupFactory => ({
  ...defineGroup({
    requires: [],
    data: z.record(z.string(), z.unknown()),
    open: ({ settings, db }) => {
      const { url, secrets, contentType } = requireReceiver(receiver);
      const { WEBHOOK_ALLOW_PRIVATE: allowPrivate, WEBHOOK_TIMEOUT_MS: timeoutMs } = settings;
      const target = { url, secrets, allowPrivate, timeoutMs, ...reach };
      // Monotonic, ms.
      let notBefore = 0;

      return {
        prepare: async (pieces) => {
          const references = new Map(pieces.map(({ eventId, type, data }) => [eventId, referenceOf(type, data)]));
          const facts = await findWebhookFacts(
            db,
            [...references].map(([eventId, reference]) => ({ ...reference, eventId })),
          );
          return new Map(
            [...references].map(([eventId, reference]): [string, Prepared<Input>] => {
              if (reference.kind === "malformed") return [eventId, { kind: "ready", input: "malformed" }];
              const found = facts.get(eventId);
              const input = found === undefined ? undefined : contentOf(eventId, reference, found);
              return [
                eventId,
                input === undefined
                  ? { kind: "cancel", reason: CANCEL_REASONS[reference.kind] }
                  : { kind: "ready", input },
              ];
            }),
          );
        },
        work: async ({ eventId, type, traceparent, ageMs }, input, attempt): Promise<Outcome> => {
          if (input === "malformed") return { kind: "rejected", reason: "malformed" };
          const waitMs = Math.ceil(notBefore - performance.now());
          if (waitMs > 0) return { kind: "unavailable", reason: "retry_after", minDelayMs: waitMs };
          const body = webhookBody(contentType, { eventId, type }, input);
          const result = await sendWebhook(
            target,
            { id: eventId, contentType, body, trace: { traceparent } },
            { signal: attempt.signal, commit: () => attempt.commit() },
          );
          const outcome = classify(result, { ageMs });
          const askedMs = patienceMs(result);
          if (askedMs !== undefined) notBefore = Math.max(notBefore, performance.now() + askedMs);
          return outcome.kind === "done" ? { ...outcome, receipt: eventId } : outcome;
        },
        // The path may be a secret.
        system: `receiver ${receiver.name} at ${new URL(url).host}`,
        policy: { ...policyOf(settings), isIdempotent: true, expireAfterMs: settings.WEBHOOK_EXPIRE_AFTER_MS },
      };
    },
  }),
  requires: requiredOfReceiver(receiver.name),
});

/** What makes the consumer of a group, if it is that of one of the receivers. */
export const webhookFactory = (receivers: readonly Receiver[], group: string): GroupFactory | undefined => {
  const receiver = receivers.find(({ name }) => webhookGroupName(name) === group);
  return receiver === undefined ? undefined : factoryFor(receiver);
};
