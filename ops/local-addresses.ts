import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** Where the system that `bun run start` runs on this machine says what it listens on. */
const FILE = "addresses.json";

const addressesSchema = z
  .object({ databaseUrl: z.string(), redisUrl: z.string() })
  .transform(({ databaseUrl, redisUrl }) => ({ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl }));

/** Settings by the names of their variables. */
export type LocalAddresses = z.output<typeof addressesSchema>;

/** The addresses of the local system while it runs. A file that cannot be read counts as none. */
export const readLocalAddresses = (directory: string): LocalAddresses | undefined => {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(directory, FILE), "utf8"));
    return addressesSchema.safeParse(parsed).data;
  } catch {
    return undefined;
  }
};

/**
 * The environment, completed by the local system's addresses. Only where it names neither store, or the very one that the
 * local system uses: a command must not reach with one hand into one system and with the other into another.
 */
export const withLocalAddresses = (
  environment: Readonly<Record<string, string | undefined>>,
  addresses: LocalAddresses | undefined,
): Readonly<Record<string, string | undefined>> => {
  if (addresses === undefined || environment["DATABASE_URL_FILE"] || environment["REDIS_URL_FILE"]) return environment;
  const fits = ([name, url]: [string, string]) => !environment[name] || environment[name] === url;
  return Object.entries(addresses).every(fits) ? { ...environment, ...addresses } : environment;
};
