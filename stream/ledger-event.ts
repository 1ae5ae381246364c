import { LOCALES, type Locale, type StreamEvent, userSignedUp } from "./event.ts";

/** What a row of the ledger or of the outbox says of its event. */
export interface LedgerRow {
  readonly event_id: string;
  readonly user_id: string;
  readonly locale: string;
  readonly traceparent: string;
  readonly tracestate: string | null;
  readonly created_at: Date;
}

const isLocale = (text: string): text is Locale => LOCALES.some((locale) => locale === text);

/** The event as its signup published it, or would have: same id, same trace context. */
export const ledgerEvent = (row: LedgerRow): StreamEvent =>
  userSignedUp({
    eventId: row.event_id,
    userId: row.user_id,
    locale: isLocale(row.locale) ? row.locale : "vi",
    time: row.created_at,
    trace: {
      traceparent: row.traceparent,
      ...(row.tracestate === null ? {} : { tracestate: row.tracestate }),
    },
  });
