import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, startChild } from "../local/child.ts";
import { findRedis } from "../local/redis-program.ts";
import { eventually } from "./eventually.ts";
import { ownPort } from "./own-port.ts";
import { aNode, ask, LOCAL, type RedisNode } from "./redis-node.ts";

export const MASTER = "mymaster";

/** A primary, two replicas, and three sentinels that watch them. */
export interface OwnSentinels extends AsyncDisposable {
  readonly url: string;
  readonly nodes: readonly RedisNode[];
  readonly sentinels: readonly number[];
  /** Whom most of the sentinels take for the primary. */
  primary(): Promise<RedisNode>;
  /** Resolves when both of the others replicate from the primary. */
  untilReplicated(): Promise<void>;
}

const startSentinel = async (directory: string, primary: number): Promise<{ port: number; child: Child }> => {
  const port = await ownPort();
  const file = join(directory, `sentinel-${port}.conf`);
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${directory}`,
    `sentinel monitor ${MASTER} 127.0.0.1 ${primary} 2`,
    `sentinel down-after-milliseconds ${MASTER} 1000`,
    `sentinel failover-timeout ${MASTER} 3000`,
    `sentinel parallel-syncs ${MASTER} 2`,
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  const program = findRedis(join(LOCAL, "redis"), () => {});
  const child = startChild({
    command: [program.command, file, "--sentinel"],
    env: program.env,
    logFile: join(directory, `sentinel-${port}.log`),
    deathSignal: "TERM",
  });
  return { port, child };
};

export const ownSentinels = async (): Promise<OwnSentinels> => {
  mkdirSync(LOCAL, { recursive: true });
  const directory = mkdtempSync(join(LOCAL, "test-sentinels-"));
  const first = await aNode(directory, () => []);
  const flags = () => ["--replicaof", `127.0.0.1 ${first.port}`];
  const nodes = [first, await aNode(directory, flags), await aNode(directory, flags)];
  for (const node of nodes) await node.start();
  const started: { readonly port: number; readonly child: Child }[] = [];
  for (const _ of nodes) started.push(await startSentinel(directory, first.port));
  const sentinels = started.map(({ port }) => port);

  const named = async (): Promise<string> => {
    const answers = await Promise.all(
      sentinels.map((port) => ask(port, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER).catch(() => "")),
    );
    const ports = answers.map((answer) => (Array.isArray(answer) ? String(answer[1]) : ""));
    return ports.find((port) => ports.filter((other) => other === port).length > 1) ?? "";
  };
  const primary = () =>
    eventually(async () => {
      const port = await named();
      return nodes.find((node) => String(node.port) === port);
    }, 10_000);
  const untilReplicated = async () => {
    await eventually(async () => {
      const { port } = await primary();
      const online = String(await ask(port, "INFO", "replication")).match(/state=online/g) ?? [];
      // Each sentinel knows of both replicas, and of both other sentinels.
      const views = await Promise.all(sentinels.map((each) => ask(each, "INFO", "sentinel").then(String)));
      return (
        online.length === 2 &&
        views.every((view) => view.includes(`name=${MASTER},status=ok`) && view.includes("slaves=2,sentinels=3"))
      );
    }, 30_000);
  };
  await untilReplicated();
  return {
    url: `redis+sentinel://${sentinels.map((port) => `127.0.0.1:${port}`).join(",")}/${MASTER}`,
    nodes,
    sentinels,
    primary,
    untilReplicated,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(started.map(({ child }) => child.stop("SIGKILL", 1_000)));
      await Promise.all(nodes.map((node) => node.kill()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
