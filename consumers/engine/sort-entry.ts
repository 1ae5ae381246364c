import type { z } from "zod";
import type { TraceContext } from "../../observability/trace-context.ts";
import { type Entry, fieldsOf } from "../../stream/entries.ts";
import { decodeEvent, problemsOf, type StreamEvent } from "../../stream/events/envelope.ts";
import { bindingTo } from "../../stream/routing.ts";

/** What a group makes of an entry before anything is done with it. */
export type SortedEntry<Data> =
  | { readonly kind: "event"; readonly event: StreamEvent; readonly data: Data }
  /** Somebody trimmed the payload of a pending entry; the ledger will bring its delivery back. */
  | { readonly kind: "gone" }
  /** Not an event that the group binds to. */
  | { readonly kind: "foreign"; readonly type: string }
  | UnreadableEntry;

/** It cannot be read: a dead letter, with the reason, what was wrong, and its event if the envelope can be read. */
export interface UnreadableEntry {
  readonly kind: "unreadable";
  readonly reason: "malformed" | "unknown_version";
  readonly detail: string;
  readonly event?: StreamEvent;
}

/** What a group can read. */
export interface Readable<Data> {
  /** Patterns that the group binds by. */
  readonly patterns: readonly string[];
  /** Every type that this code knows. */
  readonly knownTypes: readonly string[];
  readonly data: z.ZodType<Data>;
}

/** An entry of ours has some twenty; Lua can pass on no more than some thousands. */
const MAX_VALUES = 1_000;

const malformed = (detail: string): UnreadableEntry => ({ kind: "unreadable", reason: "malformed", detail });

/** Sorts an entry. Pure: `fallback` is the trace context of one that brings none along. */
export const sortEntry = <Data>(
  { patterns, knownTypes, data }: Readable<Data>,
  { raw }: Entry,
  fallback: TraceContext,
): SortedEntry<Data> => {
  if (raw === undefined) return { kind: "gone" };
  if (raw.length > MAX_VALUES) return malformed(`${raw.length} fields and values; at most ${MAX_VALUES}`);
  const fields = fieldsOf(raw);
  const { type } = fields;
  const binding = type === undefined ? "handled" : bindingTo(patterns, type, knownTypes);
  if (type !== undefined && binding === "unbound") return { kind: "foreign", type };
  const decoded = decodeEvent(fields, fallback);
  if (type !== undefined && binding === "unknown-version") {
    const event = decoded.kind === "event" ? { event: decoded.event } : {};
    return { kind: "unreadable", reason: "unknown_version", detail: type, ...event };
  }
  if (decoded.kind === "malformed") return malformed(decoded.reason);
  const { event } = decoded;
  const parsed = data.safeParse(event.data);
  if (!parsed.success) return { ...malformed(`data: ${problemsOf(parsed.error, "data")}`), event };
  return { kind: "event", event, data: parsed.data };
};
