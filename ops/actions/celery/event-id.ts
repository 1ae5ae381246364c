import { createHash } from "node:crypto";

/** Of the ids below: any UUID will do, as long as it never changes. */
const NAMESPACE = Buffer.from("6f1d3c1e8f0b4b6e9a55c0e1a5d1f2c7", "hex");

/**
 * The event of a task of Celery: a UUID of version 5 (RFC 9562, 5.5), always the same for one task. So an import that is repeated writes
 * nothing twice, and two copies of a message are one event.
 */
export const eventIdOfTask = (taskId: string): string => {
  const bytes = createHash("sha1").update(NAMESPACE).update(taskId).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
};
