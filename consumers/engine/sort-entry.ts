import type { TraceContext } from "../../observability/trace-context.ts";
import { type Entry, fieldsOf } from "../../stream/entries.ts";
import { decodeEvent, type StreamEvent } from "../../stream/event.ts";
import { bindingOf, type Group } from "../../stream/groups.ts";

/** What a group makes of an entry before anything is done with it. */
export type SortedEntry =
  | { readonly kind: "event"; readonly event: StreamEvent }
  /** Somebody trimmed the payload of a pending entry; the ledger will bring its mail back. */
  | { readonly kind: "gone" }
  /** Not an event that the group binds to. */
  | { readonly kind: "foreign"; readonly type: string }
  /** It cannot be read: a dead letter, with the reason and what was wrong. */
  | { readonly kind: "unreadable"; readonly reason: "malformed" | "unknown_version"; readonly detail: string };

/** An entry of ours has some twenty; Lua can pass on no more than some thousands. */
const MAX_VALUES = 1_000;

/** Sorts an entry. Pure: `fallback` is the trace context of one that brings none along. */
export const sortEntry = (group: Group, { raw }: Entry, fallback: TraceContext): SortedEntry => {
  if (raw === undefined) return { kind: "gone" };
  if (raw.length > MAX_VALUES) {
    return {
      kind: "unreadable",
      reason: "malformed",
      detail: `${raw.length} fields and values; at most ${MAX_VALUES}`,
    };
  }
  const fields = fieldsOf(raw);
  const { type } = fields;
  if (type !== undefined) {
    const binding = bindingOf(group, type);
    if (binding === "unbound") return { kind: "foreign", type };
    if (binding === "unknown-version") return { kind: "unreadable", reason: "unknown_version", detail: type };
  }
  const decoded = decodeEvent(fields, fallback);
  return decoded.kind === "event" ? decoded : { kind: "unreadable", reason: "malformed", detail: decoded.reason };
};
