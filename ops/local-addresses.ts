import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** Written by `bun run start`: the addresses of the system on this machine. */
const FILE = "addresses.json";

const addressesSchema = z
  .object({ databaseUrl: z.string(), redisUrl: z.string() })
  .transform(({ databaseUrl, redisUrl }) => ({ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl }));

/** No settings name the stores, and the local system, whose stores would be used, does not run. */
export class LocalSystemStopped extends Error {
  override readonly name = "LocalSystemStopped";

  constructor(found?: string, options?: ErrorOptions) {
    const why = found === undefined ? "" : `:\n${found}`;
    super(
      `the local system is not running; start it (bun run start), or set DATABASE_URL and REDIS_URL to use another${why}`,
      options,
    );
  }
}

/** Settings, by the names of their variables. */
export type LocalAddresses = z.output<typeof addressesSchema>;

/** The addresses of the local system while it runs. An unreadable file counts as none. */
export const readLocalAddresses = (directory: string): LocalAddresses | undefined => {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(directory, FILE), "utf8"));
    return addressesSchema.safeParse(parsed).data;
  } catch {
    return undefined;
  }
};

/** Whether the environment says nothing about either store. */
const namesNoStore = (environment: Readonly<Record<string, string | undefined>>): boolean =>
  ["DATABASE_URL", "REDIS_URL"].every((name) => !environment[name] && !environment[`${name}_FILE`]);

/**
 * The environment, completed by the local system's addresses. Only if it names neither store, or the local system's own:
 * a command must not use the database of one system and the Redis of another.
 *
 * @throws {LocalSystemStopped} if nothing says where the stores are
 */
export const withLocalAddresses = (
  environment: Readonly<Record<string, string | undefined>>,
  addresses: LocalAddresses | undefined,
): Readonly<Record<string, string | undefined>> => {
  if (addresses === undefined && namesNoStore(environment)) throw new LocalSystemStopped();
  if (addresses === undefined || environment["DATABASE_URL_FILE"] || environment["REDIS_URL_FILE"]) return environment;
  const fits = ([name, url]: [string, string]) => !environment[name] || environment[name] === url;
  return Object.entries(addresses).every(fits) ? { ...environment, ...addresses } : environment;
};
