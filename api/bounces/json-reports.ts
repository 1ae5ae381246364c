import { isPayload, readPayload } from "./providers/mailgun.ts";
import { isRecord, readRecord } from "./providers/postmark.ts";
import { isEvent, readEvent } from "./providers/sendgrid.ts";
import { isEnvelope, isNotification, readEnvelope, readNotification } from "./providers/ses.ts";
import { type ReadItem, UNREADABLE } from "./report.ts";

interface Provider {
  /** Whether an item looks like one of theirs. */
  readonly is: (item: object) => boolean;
  readonly read: (item: unknown) => readonly ReadItem[];
}

const PROVIDERS: readonly Provider[] = [
  { is: isEnvelope, read: readEnvelope },
  { is: isNotification, read: readNotification },
  { is: isPayload, read: readPayload },
  { is: isEvent, read: readEvent },
  { is: isRecord, read: readRecord },
];

const readItem = (item: unknown): readonly ReadItem[] => {
  if (typeof item !== "object" || item === null) return [UNREADABLE];
  return PROVIDERS.find(({ is }) => is(item))?.read(item) ?? [UNREADABLE];
};

/** Reads what providers send: one report, or an array of them, each told apart by its shape. */
export const readJsonReports = (body: unknown): readonly ReadItem[] =>
  Array.isArray(body) ? body.flatMap(readItem) : readItem(body);
