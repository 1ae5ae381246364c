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
  /** It cannot be read: a dead letter, with the reason and what was wrong. */
  | { readonly kind: "unreadable"; readonly reason: "malformed" | "unknown_version"; readonly detail: string };

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

const malformed = (detail: string) => ({ kind: "unreadable", reason: "malformed", detail }) as const;

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
  if (type !== undefined) {
    const binding = bindingTo(patterns, type, knownTypes);
    if (binding === "unbound") return { kind: "foreign", type };
    if (binding === "unknown-version") return { kind: "unreadable", reason: "unknown_version", detail: type };
  }
  const decoded = decodeEvent(fields, fallback);
  if (decoded.kind === "malformed") return malformed(decoded.reason);
  const parsed = data.safeParse(decoded.event.data);
  if (!parsed.success) return malformed(`data: ${problemsOf(parsed.error, "data")}`);
  return { kind: "event", event: decoded.event, data: parsed.data };
};
