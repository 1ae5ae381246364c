import { Redis } from "ioredis";
import postgres from "postgres";
import { LINK_FAULTS } from "./link.ts";
import { type ChaoticMailServer, MAIL_FAULTS } from "./mail-server.ts";
import type { Random } from "./random.ts";
import type { ChaosSystem, Victim } from "./system.ts";

/** One fault: it is brought about, lasts, and is healed. */
export interface Fault {
  /** Its kind, for the table of recovery times. */
  readonly kind: string;
  readonly label: string;
  readonly lastsMs: number;
  inflict(): Promise<void>;
  heal(): Promise<void>;
}

export interface FaultDeps {
  readonly system: ChaosSystem;
  readonly mailServer: ChaoticMailServer;
  readonly random: Random;
}

const GARBAGE: readonly (readonly string[])[] = [
  ["hello", "world"],
  ["specversion", "1.0", "id", "nonsense", "type", "user.signed_up.v1", "source", "x", "data", "{"],
  ["specversion", "1.0", "id", crypto.randomUUID(), "type", "user.signed_up.v9", "source", "x", "data", "{}"],
  ["type", "order.placed.v1", "data", "{}"],
  ["type", "user.signed_up.v1", "data", "x".repeat(100_000)],
];

const nothing = async (): Promise<void> => {};

const withRedis = async (url: string, action: (redis: Redis) => Promise<unknown>): Promise<void> => {
  const redis = new Redis(url, { retryStrategy: () => null });
  redis.on("error", () => {});
  await action(redis).catch(() => {});
  redis.disconnect();
};

/** Every kind of fault, as a function that makes one of it. */
export const faultMakers = ({ system, mailServer, random }: FaultDeps) => {
  const anyVictim = (kind?: Victim["kind"]): Victim =>
    random.pick(system.victims.filter((victim) => kind === undefined || victim.kind === kind));

  const kill = (kind?: Victim["kind"]): Fault => {
    const victim = anyVictim(kind);
    return {
      kind: `kill -9 ${victim.kind}`,
      label: `kill -9 ${victim.name}`,
      lastsMs: random.between(500, 3_000),
      inflict: async () => {
        victim.signal("SIGKILL");
        await victim.ended();
      },
      heal: async () => victim.start(),
    };
  };
  /** Its mails wait for an answer when it dies: peers have to take them over. */
  const killWithWorkInHand = (): Fault => {
    const victim = anyVictim("consumer");
    return {
      kind: "kill -9 consumer",
      label: `kill -9 ${victim.name} with work in hand`,
      lastsMs: random.between(2_500, 4_000),
      inflict: async () => {
        mailServer.misbehave("10 s late");
        await Bun.sleep(800);
        victim.signal("SIGKILL");
        await victim.ended();
        mailServer.misbehave(undefined);
      },
      heal: async () => victim.start(),
    };
  };
  const terminate = (): Fault => {
    const victim = anyVictim();
    return {
      kind: `SIGTERM ${victim.kind}`,
      label: `SIGTERM ${victim.name}`,
      lastsMs: random.between(200, 2_000),
      inflict: async () => victim.signal("SIGTERM"),
      heal: async () => {
        await victim.stop();
        victim.start();
      },
    };
  };
  const freeze = (): Fault => {
    const victim = anyVictim();
    return {
      kind: `SIGSTOP ${victim.kind}`,
      label: `SIGSTOP ${victim.name}, then SIGCONT`,
      lastsMs: random.between(3_500, 6_000),
      inflict: async () => victim.signal("SIGSTOP"),
      heal: async () => victim.signal("SIGCONT"),
    };
  };
  const killRedis = (lastsMs = random.between(500, 4_000)): Fault => ({
    kind: "kill -9 redis",
    label: "kill -9 redis, started again with its file",
    lastsMs,
    inflict: () => system.killRedis(),
    heal: () => system.startRedis(),
  });
  const flush = (): Fault => ({
    kind: "FLUSHALL",
    label: "FLUSHALL",
    lastsMs: 0,
    inflict: () => withRedis(system.redisUrl, (redis) => redis.flushall()),
    heal: nothing,
  });
  /** What waits for its next try is in Redis alone; flushed, only the ledger knows of it. */
  const flushWhileRetriesWait = (): Fault => ({
    kind: "FLUSHALL",
    label: "FLUSHALL while retries wait",
    lastsMs: 500,
    inflict: async () => {
      mailServer.misbehave("452 too many");
      await Bun.sleep(1_500);
      await flush().inflict();
    },
    heal: async () => mailServer.misbehave(undefined),
  });
  const killPostgres = (): Fault => ({
    kind: "kill -9 postgres",
    label: "kill -9 postgres",
    lastsMs: random.between(500, 3_000),
    inflict: () => system.killPostgres(),
    heal: () => system.startPostgres(),
  });
  const cutConnections = (): Fault => ({
    kind: "connections terminated",
    label: "all connections of postgres terminated",
    lastsMs: 0,
    inflict: async () => {
      const sql = postgres(system.databaseUrl, { max: 1, onnotice: () => {} });
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()`.catch(() => {});
      await sql.end({ timeout: 1 });
    },
    heal: nothing,
  });
  const breakLink = (): Fault => {
    const [link, fault] = [random.pick(system.links), random.pick(LINK_FAULTS)];
    return {
      kind: `link: ${fault}`,
      label: `${link.name}: ${fault}`,
      lastsMs: random.between(1_000, 7_000),
      inflict: async () => link.break(fault),
      heal: async () => link.heal(),
    };
  };
  const mailFault = (fault = random.pick(MAIL_FAULTS)): Fault => ({
    kind: `smtp: ${fault}`,
    label: `smtp: ${fault}`,
    lastsMs: random.between(1_000, 4_000),
    inflict: async () => mailServer.misbehave(fault),
    heal: async () => mailServer.misbehave(undefined),
  });
  const garbage = (): Fault => ({
    kind: "garbage",
    label: "garbage in the stream",
    lastsMs: 0,
    inflict: () =>
      withRedis(system.redisUrl, (redis) =>
        Promise.all(GARBAGE.map((fields) => redis.xadd("{chaos}:events", "*", ...fields))),
      ),
    heal: nothing,
  });
  return {
    kill,
    killWithWorkInHand,
    terminate,
    freeze,
    killRedis,
    flush,
    flushWhileRetriesWait,
    killPostgres,
    cutConnections,
    breakLink,
    mailFault,
    garbage,
  };
};

/** The faults without which a run proves nothing, first; then at random, for as long as one asks. */
export function* faultSequence(deps: FaultDeps): Generator<Fault> {
  const make = faultMakers(deps);
  yield make.mailFault("cut before the 250, taken");
  yield make.killWithWorkInHand();
  yield make.killRedis(4_000);
  yield make.flushWhileRetriesWait();
  yield make.freeze();
  const all = [
    make.kill,
    make.killWithWorkInHand,
    make.terminate,
    make.freeze,
    make.killRedis,
    make.flush,
    make.flushWhileRetriesWait,
    make.killPostgres,
    make.cutConnections,
    make.breakLink,
    make.breakLink,
    make.breakLink,
    make.mailFault,
    make.mailFault,
    make.mailFault,
    make.garbage,
  ];
  for (;;) yield deps.random.pick(all)();
}
