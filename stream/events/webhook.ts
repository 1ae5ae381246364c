import type { WebhookContentType } from "../../settings/webhooks.ts";
import { SOURCE } from "./envelope.ts";

/** What a webhook says of an event, before it is written as JSON. */
export interface WebhookContent {
  /** When the event took place. */
  readonly at: Date;
  readonly subject: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The body of a webhook: as Standard Webhooks recommends it, or a CloudEvents 1.0 event in structured mode. Pure. */
export const webhookBody = (
  contentType: WebhookContentType,
  { eventId, type }: { readonly eventId: string; readonly type: string },
  { at, subject, data }: WebhookContent,
): string => {
  const time = at.toISOString();
  switch (contentType) {
    case "application/json":
      return JSON.stringify({ type, timestamp: time, data });
    case "application/cloudevents+json":
      return JSON.stringify({
        specversion: "1.0",
        id: eventId,
        source: SOURCE,
        type,
        subject,
        time,
        datacontenttype: "application/json",
        data,
      });
  }
};
