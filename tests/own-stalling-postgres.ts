import { rmSync } from "node:fs";
import { join } from "node:path";
import { startPostgres } from "../local/postgres.ts";
import { randomHex } from "../observability/trace-context.ts";
import { quickDirectory } from "./observability/prometheus-program.ts";
import { ownPort } from "./own-port.ts";
import { ask } from "./own-standby.ts";

/** A server whose commits can be made to wait for a standby that is away. */
export interface StallingPostgres extends AsyncDisposable {
  readonly url: string;
  stall(): Promise<void>;
  goOn(): Promise<void>;
}

/** A server of its own, empty, with a setting of which others would notice. */
export const aStallingPostgres = async (): Promise<StallingPostgres> => {
  const dataDirectory = join(quickDirectory(), `signup-stream-stalled-${process.pid}-${randomHex(4)}`);
  const server = await startPostgres({ dataDirectory, port: await ownPort(), durable: false });
  const setStandby = async (change: string) => {
    await ask(server.url, `alter system ${change}`);
    await ask(server.url, "select pg_reload_conf()");
  };
  return {
    url: server.url,
    stall: () => setStandby("set synchronous_standby_names = 'away'"),
    goOn: () => setStandby("reset synchronous_standby_names"),
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      rmSync(dataDirectory, { recursive: true, force: true });
    },
  };
};
