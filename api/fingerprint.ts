import { createHash } from "node:crypto";

/** Part of the address of a file that changes with its content, so that browsers may cache it forever. */
export const fingerprint = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12);
