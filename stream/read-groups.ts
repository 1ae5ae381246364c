import type { Redis } from "ioredis";
import { type InfoRecord, infoRecords, orNone } from "./info-records.ts";

/** The groups of a stream (XINFO GROUPS); none if the stream is missing. */
export type ReadGroups = (stream: string) => Promise<readonly InfoRecord[]>;

export const groupsReader =
  (redis: Redis): ReadGroups =>
  async (stream) =>
    infoRecords(await orNone(redis.xinfo("GROUPS", stream)));

/** Asks for each stream once, for a look at many groups: each answer names all groups of the stream. */
export const readingEachOnce = (read: ReadGroups): ReadGroups => {
  const known = new Map<string, Promise<readonly InfoRecord[]>>();
  return (stream) => {
    const found = known.get(stream) ?? read(stream);
    known.set(stream, found);
    return found;
  };
};

/** What Redis says of a group on a stream; undefined if it is missing. */
export const groupOn = async (read: ReadGroups, stream: string, group: string): Promise<InfoRecord | undefined> =>
  (await read(stream)).find((record) => record.get("name") === group);
