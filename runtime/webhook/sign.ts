import { Webhook } from "standardwebhooks";

/** What is signed: the id by which a receiver recognises a duplicate, the time of this request, and the body. */
export interface Signed {
  readonly id: string;
  readonly at: Date;
  readonly body: string;
}

/**
 * The headers of Standard Webhooks (https://www.standardwebhooks.com, version 1): a signature by each secret, separated by
 * spaces, so that a receiver may know either while one replaces the other.
 */
export const signatureHeaders = (secrets: readonly string[], { id, at, body }: Signed): Record<string, string> => ({
  "webhook-id": id,
  "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
  "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(" "),
});
