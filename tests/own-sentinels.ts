import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, startChild } from "../local/child.ts";
import { findRedis } from "../local/redis-program.ts";
import { eventually } from "./eventually.ts";
import { ownPort } from "./own-port.ts";
import { AUTHORITY, aNode, asFlags, ask, encryptedFlags, LOCAL, type RedisNode, setPasswords } from "./redis-node.ts";

export const MASTER = "mymaster";

/** A primary, two replicas, and three sentinels that watch them. */
export interface OwnSentinels extends AsyncDisposable {
  readonly url: string;
  readonly nodes: readonly RedisNode[];
  readonly sentinels: readonly number[];
  /** Whom most of the sentinels take for the primary. */
  primary(): Promise<RedisNode>;
  /** The first so many sentinels stop answering; their connections stay open. */
  freezeSentinels(count: number): void;
  thawSentinels(): void;
  /** Resolves when both of the others replicate from the primary. */
  untilReplicated(): Promise<void>;
}

/** `primary`: the port that it is watched at. `tlsPort`: where an encrypted sentinel is asked by clients. */
const startSentinel = async (
  directory: string,
  primary: number,
  tlsPort: number | undefined,
): Promise<{ port: number; child: Child }> => {
  const port = await ownPort();
  const file = join(directory, `sentinel-${port}.conf`);
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir "${directory}"`,
    `sentinel monitor ${MASTER} 127.0.0.1 ${primary} 2`,
    `sentinel down-after-milliseconds ${MASTER} 1000`,
    `sentinel failover-timeout ${MASTER} 3000`,
    `sentinel parallel-syncs ${MASTER} 2`,
    ...(tlsPort === undefined ? [] : encryptedFlags(tlsPort).map(([name, value]) => `${name} "${value}"`)),
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

/** `password`: all connections but the test's own are encrypted, and the users of the pipeline have it. */
export const ownSentinels = async ({ password }: { readonly password?: string } = {}): Promise<OwnSentinels> => {
  mkdirSync(LOCAL, { recursive: true });
  const directory = mkdtempSync(join(LOCAL, "test-sentinels-"));
  /** A port beside each node's own, at which the others know it. */
  const tlsPorts = password === undefined ? [] : [await ownPort(), await ownPort(), await ownPort()];
  const tlsFlags = (at: number) => {
    const port = tlsPorts[at];
    return port === undefined ? [] : asFlags(encryptedFlags(port));
  };
  const first = await aNode(directory, () => tlsFlags(0));
  const watched = tlsPorts[0] ?? first.port;
  const replica = (at: number) => aNode(directory, () => ["--replicaof", `127.0.0.1 ${watched}`, ...tlsFlags(at)]);
  const nodes = [first, await replica(1), await replica(2)];
  for (const node of nodes) await node.start();
  if (password !== undefined) await setPasswords(nodes, password);
  const started: { readonly port: number; readonly asked: number; readonly child: Child }[] = [];
  for (const _ of nodes) {
    const tlsPort = password === undefined ? undefined : await ownPort();
    const { port, child } = await startSentinel(directory, watched, tlsPort);
    started.push({ port, child, asked: tlsPort ?? port });
  }
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
      return nodes.find((node, at) => String(tlsPorts[at] ?? node.port) === port);
    }, 10_000);
  const untilReplicated = async () => {
    await eventually(async () => {
      const { port } = await primary();
      const online = String(await ask(port, "INFO", "replication")).match(/state=online/g) ?? [];
      // Each sentinel knows of both replicas, and of both other sentinels.
      const views = await Promise.all(sentinels.map((each) => ask(each, "INFO", "sentinel").then(String, () => "")));
      return (
        online.length === 2 &&
        views.every((view) => view.includes(`name=${MASTER},status=ok`) && view.includes("slaves=2,sentinels=3"))
      );
    }, 30_000);
  };
  await untilReplicated();
  const seeds = started.map(({ asked }) => `127.0.0.1:${asked}`).join(",");
  return {
    url:
      password === undefined
        ? `redis+sentinel://${seeds}/${MASTER}`
        : `rediss+sentinel://ops:${password}@${seeds}/${MASTER}?sslrootcert=${AUTHORITY}`,
    nodes,
    sentinels,
    primary,
    untilReplicated,
    freezeSentinels: (count) => {
      for (const { child } of started.slice(0, count)) process.kill(child.pid, "SIGSTOP");
    },
    thawSentinels: () => {
      for (const { child } of started) process.kill(child.pid, "SIGCONT");
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(started.map(({ child }) => child.stop("SIGKILL", 1_000)));
      await Promise.all(nodes.map((node) => node.kill()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
