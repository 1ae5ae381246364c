import { openDatabase } from "../../database/connection.ts";
import type { Logger } from "../../observability/logger.ts";
import type { SettingsOf } from "../../settings/load.ts";
import { openCommandConnection } from "../../stream/connection.ts";
import type { ConsoleStores } from "./visit.ts";

const COMMAND_TIMEOUT_MS = 10_000;
/** A slow look at the ledger must not take the connections of those who sign up: the console has its own, and few. */
const DATABASE_POOL = 4;

/** The console's way to the stores. */
export interface LazyStores {
  /** Opens them when it is first called. */
  readonly stores: () => ConsoleStores;
  close(): Promise<void>;
}

export interface LazyStoresDeps {
  readonly settings: Pick<
    SettingsOf<"api">,
    "DATABASE_URL" | "REDIS_URL" | "STREAM_NAME" | "CONSOLE_DATABASE_URL" | "CONSOLE_REDIS_URL"
  >;
  /** Of the process. */
  readonly name: string;
  readonly log: Logger;
}

/** Both stores with the rights of ops: those of the api, if there are no others. Nobody who never opens the console pays for it. */
export const lazyStores = ({ settings, name, log }: LazyStoresDeps): LazyStores => {
  let opened: ConsoleStores | undefined;
  const open = (): ConsoleStores => ({
    db: openDatabase({
      url: settings.CONSOLE_DATABASE_URL ?? settings.DATABASE_URL,
      poolSize: DATABASE_POOL,
      applicationName: `${name}-console`,
    }),
    redis: openCommandConnection({
      url: settings.CONSOLE_REDIS_URL ?? settings.REDIS_URL,
      streamName: settings.STREAM_NAME,
      name: `${name}-console`,
      log,
      commandTimeoutMs: COMMAND_TIMEOUT_MS,
    }),
  });
  return {
    stores() {
      opened ??= open();
      return opened;
    },
    async close() {
      opened?.redis.disconnect();
      await opened?.db.destroy();
    },
  };
};
