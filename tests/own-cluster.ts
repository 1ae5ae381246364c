import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { ownPort } from "./own-port.ts";
import { AUTHORITY, aNode, asFlags, ask, encryptedFlags, LOCAL, type RedisNode, setPasswords } from "./redis-node.ts";

/** Three primaries, each with a replica. */
export interface OwnCluster extends AsyncDisposable {
  readonly url: string;
  readonly nodes: readonly RedisNode[];
  /** The node that most take for the owner of the slot of this key. */
  ownerOf(key: string): Promise<RedisNode>;
  /** A node that replicates from this one. */
  replicaOf(primary: RedisNode): Promise<RedisNode>;
  /** Another primary. */
  primaryBeside(owner: RedisNode): Promise<RedisNode>;
  /** Begins to move the slot of a key, and moves none of its keys. */
  beginMove(key: string, from: RedisNode, to: RedisNode): Promise<void>;
  /** Moves the slot of a key, with its keys, one after the other. */
  moveSlot(key: string, from: RedisNode, to: RedisNode): Promise<void>;
  /** Resolves when every node is there, and each primary has a replica. */
  untilWhole(): Promise<void>;
}

const PRIMARIES = 3;
const SLOTS = 16_384;

/** A line of CLUSTER NODES. */
interface Line {
  readonly id: string;
  readonly port: number;
  readonly flags: string;
  readonly primaryId: string;
  readonly isLinked: boolean;
  readonly slots: readonly (readonly [number, number])[];
}

const linesOf = (text: string): readonly Line[] =>
  text
    .trim()
    .split("\n")
    .map((line) => {
      const [id = "", address = "", flags = "", primaryId = "", , , , link, ...slots] = line.split(" ");
      return {
        id,
        port: Number(/:(\d+)@/.exec(address)?.[1]),
        flags,
        primaryId,
        isLinked: link === "connected",
        slots: slots.flatMap((range) => {
          const [, from = "", to = from] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
          return from === "" ? [] : [[Number(from), Number(to)] as const];
        }),
      };
    });

const isPrimary = ({ flags, slots }: Line) => flags.includes("master") && !flags.includes("fail") && slots.length > 0;

/** `password`: all connections but the test's own are encrypted, and the users of the pipeline have it. */
export const ownCluster = async ({ password }: { readonly password?: string } = {}): Promise<OwnCluster> => {
  mkdirSync(LOCAL, { recursive: true });
  const directory = mkdtempSync(join(LOCAL, "test-cluster-"));
  const nodes: RedisNode[] = [];
  const buses = new Map<number, number>();
  /** A port of each node for encrypted connections, which the others know. */
  const tlsPorts = new Map<number, number>();
  for (let at = 0; at < 2 * PRIMARIES; at += 1) {
    const bus = await ownPort();
    const flags = [
      ...["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", String(bus)],
      ...["--cluster-config-file", `nodes-${at}.conf`, "--cluster-replica-validity-factor", "0"],
    ];
    const tlsPort = await ownPort();
    const encrypted = password === undefined ? [] : [...encryptedFlags(tlsPort), ["tls-cluster", "yes"] as const];
    const node = await aNode(directory, () => [...flags, ...asFlags(encrypted)]);
    nodes.push(node);
    tlsPorts.set(node.port, password === undefined ? node.port : tlsPort);
    buses.set(node.port, bus);
  }
  const nodeAt = (port: number | undefined): RedisNode => {
    const found = nodes.find((node) => node.port === port || tlsPorts.get(node.port) === port);
    if (found === undefined) throw new Error(`no node at ${port}`);
    return found;
  };
  const seenBy = async (node: RedisNode) => linesOf(String(await ask(node.port, "CLUSTER", "NODES")));
  /** As the first node that answers sees it. */
  const seen = () => Promise.any(nodes.map(seenBy));
  const idOf = async (node: RedisNode) => String(await ask(node.port, "CLUSTER", "MYID"));
  const slotOf = async (key: string) =>
    Number(await Promise.any(nodes.map(({ port }) => ask(port, "CLUSTER", "KEYSLOT", key))));
  const has = (slot: number) => (line: Line) => line.slots.some(([from, to]) => from <= slot && slot <= to);

  const untilWhole = async (): Promise<void> => {
    await eventually(async () => {
      const views = await Promise.all(nodes.map(seenBy));
      return views.every((lines) => {
        const primaries = lines.filter(isPrimary);
        return (
          lines.length === nodes.length &&
          lines.every(({ flags, isLinked }) => isLinked && !flags.includes("fail") && !flags.includes("handshake")) &&
          primaries.length === PRIMARIES &&
          primaries.every(({ id }) => lines.some(({ primaryId }) => primaryId === id))
        );
      });
    }, 30_000);
    await eventually(async () => {
      const states = await Promise.all(nodes.map(({ port }) => ask(port, "CLUSTER", "INFO").then(String)));
      const links = await Promise.all(nodes.map(({ port }) => ask(port, "INFO", "replication").then(String)));
      return (
        states.every((state) => state.includes("cluster_state:ok")) &&
        links.every((link) => link.includes("master_link_status:up") || link.includes("state=online"))
      );
    }, 30_000);
  };

  for (const node of nodes) await node.start();
  const [first = nodeAt(undefined), ...others] = nodes;
  for (const { port } of others) {
    await ask(first.port, "CLUSTER", "MEET", "127.0.0.1", String(tlsPorts.get(port)), String(buses.get(port)));
  }
  await eventually(
    async () => (await Promise.all(nodes.map(seenBy))).every((lines) => lines.length === nodes.length),
    20_000,
  );
  for (let at = 0; at < PRIMARIES; at += 1) {
    const [from, to] = [Math.floor((at * SLOTS) / PRIMARIES), Math.floor(((at + 1) * SLOTS) / PRIMARIES) - 1];
    await ask(nodes[at]?.port ?? 0, "CLUSTER", "ADDSLOTSRANGE", String(from), String(to));
    await ask(nodes[at]?.port ?? 0, "CLUSTER", "SET-CONFIG-EPOCH", String(at + 1)).catch(() => {});
  }
  for (let at = 0; at < PRIMARIES; at += 1) {
    const primary = nodes[at] ?? first;
    await ask(nodes[PRIMARIES + at]?.port ?? 0, "CLUSTER", "REPLICATE", await idOf(primary));
  }
  await untilWhole();
  if (password !== undefined) await setPasswords(nodes, password);
  const seeds = nodes.map(({ port }) => `127.0.0.1:${tlsPorts.get(port)}`).join(",");

  const beginMove = async (key: string, from: RedisNode, to: RedisNode): Promise<void> => {
    const slot = String(await slotOf(key));
    await ask(to.port, "CLUSTER", "SETSLOT", slot, "IMPORTING", await idOf(from));
    await ask(from.port, "CLUSTER", "SETSLOT", slot, "MIGRATING", await idOf(to));
  };

  return {
    beginMove,
    url:
      password === undefined
        ? `redis+cluster://${seeds}`
        : `rediss+cluster://ops:${password}@${seeds}?sslrootcert=${AUTHORITY}`,
    nodes,
    untilWhole,
    async ownerOf(key) {
      const slot = await slotOf(key);
      return nodeAt((await seen()).find((line) => isPrimary(line) && has(slot)(line))?.port);
    },
    async replicaOf(primary) {
      const lines = await seen();
      const id = lines.find(({ port }) => port === primary.port)?.id;
      return nodeAt(lines.find(({ primaryId }) => primaryId === id)?.port);
    },
    async primaryBeside(owner) {
      return nodeAt((await seen()).find((line) => isPrimary(line) && line.port !== owner.port)?.port);
    },
    async moveSlot(key, from, to) {
      const slot = String(await slotOf(key));
      const toId = await idOf(to);
      await beginMove(key, from, to);
      for (;;) {
        const keys = await ask(from.port, "CLUSTER", "GETKEYSINSLOT", slot, "1");
        const [next] = Array.isArray(keys) ? keys.map(String) : [];
        if (next === undefined) break;
        await ask(from.port, "MIGRATE", "127.0.0.1", String(to.port), next, "0", "5000");
      }
      for (const { port } of [to, from]) await ask(port, "CLUSTER", "SETSLOT", slot, "NODE", toId);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(nodes.map((node) => node.kill()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
