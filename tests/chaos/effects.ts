import { closeSync, openSync, readSync } from "node:fs";
import { EXAMPLE, WEBHOOK } from "./groups.ts";
import type { ChaoticMailServer } from "./mail-server.ts";
import type { ChaoticReceiver } from "./webhook-receiver.ts";

/** What a group's work has effected, seen from outside of the system. */
export interface Effects {
  readonly group: string;
  /** Event ids in the order of their effects, one for each time. A later call returns at least the same. */
  read(): readonly string[];
}

/** The mails of a group that the mail server accepted. */
export const mailEffects = (group: string, { mails }: ChaoticMailServer): Effects => ({
  group,
  read: () => mails.eventIdsOf(group),
});

/** The webhooks that the receiver answered by 2xx. */
export const webhookEffects = (receiver: ChaoticReceiver): Effects => ({
  group: WEBHOOK,
  read: () => receiver.acknowledged,
});

const CHUNK_BYTES = 65_536;

/** The lines of the file that the example's consumers append to. */
export const exampleEffects = (file: string): Effects => {
  const eventIds: string[] = [];
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let offset = 0;
  let rest = "";
  return {
    group: EXAMPLE,
    read() {
      const descriptor = openSync(file, "r");
      for (;;) {
        const length = readSync(descriptor, chunk, 0, CHUNK_BYTES, offset);
        if (length === 0) break;
        offset += length;
        const lines = (rest + chunk.toString("latin1", 0, length)).split("\n");
        rest = lines.pop() ?? "";
        // A part of a string keeps the whole of it in memory.
        for (const line of lines) eventIds.push(Buffer.from(line, "latin1").toString("latin1"));
      }
      closeSync(descriptor);
      return eventIds;
    },
  };
};
