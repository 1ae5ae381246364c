import { randomHex, randomTraceContext } from "../../observability/trace-context.ts";
import type { Entry } from "../../stream/entries.ts";
import type { StreamEvent } from "../../stream/events/envelope.ts";
import type { AttemptDeps, ReadableEntry } from "./attempt.ts";
import type { PreparedEntry } from "./choose.ts";
import { lookUp } from "./look-up.ts";
import { sortEntry, type UnreadableEntry } from "./sort-entry.ts";
import type { UnlessStopped } from "./unless-stopped.ts";

export interface PreparationDeps<Data, Input>
  extends Pick<AttemptDeps<Data, Input>, "definition" | "settler" | "at" | "log"> {
  /** Every event type of this code. */
  readonly knownTypes: readonly string[];
  /** Ends what is in flight of an entry by some work, which runs on. */
  readonly inBackground: (entry: Entry, work: Promise<void>) => void;
}

export interface Preparation<Data, Input> {
  /** The events of entries, and what their work needs. What the group cannot work on is settled; so is all, when asked to stop. */
  prepare(entries: readonly Entry[], unlessStopped: UnlessStopped): Promise<readonly PreparedEntry<Data, Input>[]>;
  /** Dead-letters the entry of an event of which Postgres refuses a value. */
  refuse(item: ReadableEntry<Data>): void;
}

export const createPreparation = <Data, Input>(deps: PreparationDeps<Data, Input>): Preparation<Data, Input> => {
  const { definition, settler, at, log, inBackground } = deps;
  const readable = { patterns: definition.group.types, knownTypes: deps.knownTypes, data: definition.data };

  const reject = (entry: Entry, fault: UnreadableEntry): void => {
    const { reason, detail } = fault;
    log.warn({ entry_id: entry.id, reason, detail }, "an entry cannot be read; dead-lettering it");
    inBackground(entry, settler.reject(entry, fault));
  };
  const refuse = ({ entry, event }: ReadableEntry<Data>): void => reject(entry, refused(event));

  /** The event of an entry that this group can handle; any other entry is acked or dead-lettered. */
  const read = (entry: Entry): ReadableEntry<Data> | undefined => {
    const sorted = sortEntry(readable, entry, randomTraceContext(randomHex));
    switch (sorted.kind) {
      case "event":
        return { entry, event: sorted.event, data: sorted.data };
      case "gone":
        log.warn(
          { entry_id: entry.id },
          "the payload of a pending entry was trimmed; the reconciler will queue its delivery again",
        );
        inBackground(entry, settler.dismiss(entry));
        return undefined;
      case "foreign":
        log.debug({ entry_id: entry.id, type: sorted.type }, "not an event of this group");
        inBackground(entry, settler.pass(entry));
        return undefined;
      case "unreadable":
        reject(entry, sorted);
        return undefined;
    }
  };

  return {
    refuse,
    async prepare(entries, unlessStopped) {
      const items = entries.flatMap((entry) => read(entry) ?? []);
      if (items.length === 0) return [];
      for (const { event } of items) await at("read", event.id);
      const pieces = items.map(({ event, data }) => ({ eventId: event.id, type: event.type, data }));
      const looked = await unlessStopped("looking up what the work needs", () => lookUp(definition, pieces, log));
      if (looked === undefined) {
        for (const { entry } of items) inBackground(entry, settler.release(entry));
        return [];
      }
      const isRefused = ({ event }: ReadableEntry<Data>) => looked.refused.has(event.id);
      for (const item of items) if (isRefused(item)) refuse(item);
      return items
        .filter((item) => !isRefused(item))
        .map((item) => ({ ...item, prepared: looked.found.get(item.event.id) }));
    },
  };
};

const refused = (event: StreamEvent): UnreadableEntry => ({
  kind: "unreadable",
  reason: "malformed",
  detail: "Postgres refuses one of its values",
  event,
});
