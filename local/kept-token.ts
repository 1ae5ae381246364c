import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { randomHex } from "../observability/trace-context.ts";

const BYTES = 16;

/** A token of this folder's system, made once and kept. */
export const keptToken = (file: string): string => {
  const kept = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  if (kept.length >= 2 * BYTES) return kept;
  const token = randomHex(BYTES);
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return token;
};
