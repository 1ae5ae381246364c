import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** Where the system that `bun run start` runs on this machine says what it listens on. */
const FILE = "addresses.json";

const addressesSchema = z.object({
  DATABASE_URL: z.string(),
  REDIS_URL: z.string(),
  STREAM_NAME: z.string().optional(),
});

/** Settings by the names of their variables. */
export type LocalAddresses = z.infer<typeof addressesSchema>;

/** The addresses of the local system, if it has written any. A file that cannot be read counts as none. */
export const readLocalAddresses = (directory: string): LocalAddresses | undefined => {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(directory, FILE), "utf8"));
    return addressesSchema.safeParse(parsed).data;
  } catch {
    return undefined;
  }
};

/**
 * The environment, completed by the local system's addresses where it names neither store. One of the two alone is a
 * mistake, and stays one: a command must not reach half into another system.
 */
export const withLocalAddresses = (environment: NodeJS.ProcessEnv, directory: string): NodeJS.ProcessEnv => {
  const names = ["DATABASE_URL", "DATABASE_URL_FILE", "REDIS_URL", "REDIS_URL_FILE"];
  if (names.some((name) => environment[name])) return environment;
  const addresses = readLocalAddresses(directory);
  return addresses === undefined ? environment : { ...environment, ...addresses };
};
