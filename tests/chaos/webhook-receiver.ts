import type { ServerResponse } from "node:http";
import { Webhook } from "standardwebhooks";
import { aReceiver, type ReceivedWebhook } from "../webhook-receiver.ts";
import type { Random } from "./random.ts";

/** Ways in which a receiver of webhooks misbehaves. */
export const WEBHOOK_FAULTS = ["500", "503 with Retry-After", "silence", "connection cut", "slow"] as const;
export type WebhookFault = (typeof WEBHOOK_FAULTS)[number];

export interface ChaoticReceiver extends AsyncDisposable {
  readonly url: string;
  readonly secret: string;
  /** Event ids of the requests that were answered by 2xx, in order. */
  readonly acknowledged: readonly string[];
  /** How many requests were made, of which some were refused or cut off. */
  requests(): number;
  /** Event ids of the requests whose signature is wrong. */
  readonly forged: readonly string[];
  /** Misbehaves always in this way, and not only now and then. */
  misbehave(fault: WebhookFault | undefined): void;
}

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SLOW_MS = 1_500;

/** Shares of the requests that go wrong while there is no fault. */
const NOW_AND_THEN: readonly (readonly [WebhookFault, number])[] = [
  ["500", 0.02],
  ["503 with Retry-After", 0.003],
  ["connection cut", 0.02],
  ["slow", 0.02],
];

/** A receiver that verifies each signature, and misbehaves now and then. */
export const startChaoticReceiver = async (random: Random): Promise<ChaoticReceiver> => {
  const verifier = new Webhook(SECRET);
  const acknowledged: string[] = [];
  const forged: string[] = [];
  let requests = 0;
  let ongoing: WebhookFault | undefined;

  const faultOf = (): WebhookFault | undefined => {
    if (ongoing !== undefined) return ongoing;
    let chance = random.next();
    for (const [fault, share] of NOW_AND_THEN) {
      if (chance < share) return fault;
      chance -= share;
    }
    return undefined;
  };

  const answer = async (response: ServerResponse, { headers, body }: ReceivedWebhook): Promise<void> => {
    const eventId = headers["webhook-id"] ?? "";
    requests += 1;
    // A long run receives more than memory holds.
    receiver.received.length = 0;
    try {
      verifier.verify(body, headers);
    } catch {
      forged.push(eventId);
    }
    const acknowledge = () => {
      response.once("finish", () => acknowledged.push(eventId));
      response.writeHead(204).end();
    };
    switch (faultOf()) {
      case "500":
        response.writeHead(500).end();
        return;
      case "503 with Retry-After":
        response.writeHead(503, { "Retry-After": "1" }).end();
        return;
      case "silence":
        return;
      case "connection cut":
        response.destroy();
        return;
      case "slow":
        await Bun.sleep(SLOW_MS);
        return acknowledge();
      case undefined:
        return acknowledge();
    }
  };

  const receiver = await aReceiver(answer);
  return {
    url: receiver.url,
    secret: SECRET,
    acknowledged,
    requests: () => requests,
    forged,
    misbehave: (fault) => {
      ongoing = fault;
    },
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  };
};
