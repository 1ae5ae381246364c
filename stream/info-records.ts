/** One record of XINFO GROUPS or XINFO CONSUMERS, by Redis' field names. */
export type InfoRecord = ReadonlyMap<string, unknown>;

/** Decodes a reply of XINFO: records as flat `[name, value, ...]` arrays. */
export const infoRecords = (reply: unknown): readonly InfoRecord[] => {
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((item: unknown) => {
    if (!Array.isArray(item)) return [];
    const values = new Map<string, unknown>();
    for (let index = 0; index + 1 < item.length; index += 2) values.set(String(item[index]), item[index + 1]);
    return [values];
  });
};

/** The reply about a stream or a group; an empty list if it does not exist. */
export const orNone = async (reply: Promise<unknown>): Promise<unknown> => {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof Error && /no such key|^NOGROUP/.test(error.message)) return [];
    throw error;
  }
};

/** A number of a record; undefined for nil. */
export const numberOf = (record: InfoRecord | undefined, name: string): number | undefined => {
  const value = record?.get(name);
  return value === null || value === undefined ? undefined : Number(value);
};
