import type { z } from "zod";
import type { TraceContext } from "../../observability/trace-context.ts";
import { type Entry, fieldsOf } from "../../stream/entries.ts";
import { decodeEvent, problemsOf, type StreamEvent } from "../../stream/events/envelope.ts";
import { bindingTo } from "../../stream/routing.ts";
import type { ToDo } from "./skipper.ts";

/** How a group classifies an entry. */
export type SortedEntry<Data> =
  | { readonly kind: "event"; readonly event: StreamEvent; readonly data: Data }
  /** The payload of a pending entry was trimmed; the reconciler will queue its delivery again. */
  | { readonly kind: "gone" }
  /** Not an event that the group binds to. */
  | { readonly kind: "foreign"; readonly type: string }
  | UnreadableEntry;

/** It cannot be read, and is dead-lettered with the reason and the problem; `event` if the envelope can be read. */
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
  /** Every event type of this code. */
  readonly knownTypes: readonly string[];
  readonly data: z.ZodType<Data>;
}

/** Our entries have about twenty; Lua can pass on only some thousands. */
const MAX_VALUES = 1_000;

const malformed = (detail: string): UnreadableEntry => ({ kind: "unreadable", reason: "malformed", detail });

/** Classifies an entry. Pure. `fallback`: the trace context of an entry that has none. */
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

/** Never seen: an event that is delayed is decoded again when it is due. */
const NO_TRACE: TraceContext = { traceparent: `00-${"1".repeat(32)}-${"1".repeat(16)}-00` };

/**
 * What a group has to do about an entry of the log that it has just seen. Pure. What cannot be read is to be read: it becomes a dead
 * letter at once, not when it would be due.
 */
export const toDoAbout =
  (readable: Readable<unknown>, delayMs = 0) =>
  (raw: readonly string[]): ToDo => {
    const entry = { stream: "", id: "", raw, deliveries: 1, isTakenOver: false, deathsAlone: 0 };
    const { kind } = sortEntry(readable, entry, NO_TRACE);
    return kind === "foreign" ? "nothing" : kind === "event" && delayMs > 0 ? "delay" : "read";
  };
