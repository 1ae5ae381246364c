import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** Written by `bun run start`: the addresses of the system on this machine. */
const FILE = "addresses.json";

const addressesSchema = z
  .object({
    databaseUrl: z.string(),
    redisUrl: z.string(),
    /** How its mail is sent and looks, for `preview` and `doctor`. */
    settings: z.record(z.string(), z.string()).default({}),
  })
  .transform(({ databaseUrl, redisUrl, settings }) => ({
    stores: { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl },
    settings,
  }));

/** The command that starts the local system which has its data there. */
export const localStart = (data: string | undefined): string =>
  data === undefined ? "bun run start" : `bun run start --data ${data}`;

/** The local system, whose stores would be used, does not run. */
export class LocalSystemStopped extends Error {
  override readonly name = "LocalSystemStopped";

  /** `data`: the folder that was named; undefined: none, nor does a setting name the stores. */
  constructor(data?: string, options: ErrorOptions & { readonly found?: string } = {}) {
    const what =
      data === undefined
        ? `the local system is not running; start it (${localStart(data)}), or set DATABASE_URL and REDIS_URL to use another`
        : `no system is running with its data in ${data}; start it (${localStart(data)})`;
    super(options.found === undefined ? what : `${what}:\n${options.found}`, options);
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The addresses of its stores, and further settings, by the names of their variables. */
export type LocalSystem = z.output<typeof addressesSchema>;

/** The local system while it runs. An unreadable file counts as none. */
export const readLocalSystem = (directory: string): LocalSystem | undefined => {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(directory, FILE), "utf8"));
    return addressesSchema.safeParse(parsed).data;
  } catch {
    return undefined;
  }
};

/**
 * The environment with the addresses of the local system that has its data in this folder. They win over what is set: the operator
 * has named it.
 *
 * @throws {LocalSystemStopped}
 */
export const withAddressesIn = (environment: Environment, directory: string): Environment => {
  const system = readLocalSystem(directory);
  if (system === undefined) throw new LocalSystemStopped(directory);
  const { DATABASE_URL_FILE: _, REDIS_URL_FILE: __, ...rest } = environment;
  return { ...system.settings, ...rest, ...system.stores };
};

/** Whether the environment says nothing about either store. */
const namesNoStore = (environment: Environment): boolean =>
  ["DATABASE_URL", "REDIS_URL"].every((name) => !environment[name] && !environment[`${name}_FILE`]);

/**
 * The environment, completed by the local system's addresses and settings. Only if it names neither store, or the local system's own:
 * a command must not use the database of one system and the Redis of another.
 *
 * @throws {LocalSystemStopped} if nothing says where the stores are
 */
export const withLocalAddresses = (environment: Environment, system: LocalSystem | undefined): Environment => {
  if (system === undefined && namesNoStore(environment)) throw new LocalSystemStopped();
  if (system === undefined || environment["DATABASE_URL_FILE"] || environment["REDIS_URL_FILE"]) return environment;
  const fits = ([name, url]: [string, string]) => !environment[name] || environment[name] === url;
  if (!Object.entries(system.stores).every(fits)) return environment;
  return { ...system.settings, ...environment, ...system.stores };
};
