import postgres from "postgres";
import type { Fault, FaultDeps } from "./fault.ts";
import { MAIL } from "./groups.ts";
import { LINK_FAULTS, type Link } from "./link.ts";

/** A link is up for so long before it is cut again. */
const UP_MS = { min: 1_000, max: 3_500 } as const;
/** By then a peer has claimed what a consumer had when it died. */
const CLAIMED_WITHIN_MS = 15_000;
/** Leases last for so long in a run, and are renewed until the death. */
const LEASE_MS = 2_000;

/** Faults of the links between processes, stores and mail server. */
export const linkFaults = ({ system, random }: FaultDeps) => {
  /** Cuts each of them now and then; returns what ends it. */
  const flap = (links: readonly Link[]): (() => void) => {
    const upMs = links.map(() => random.between(UP_MS.min, UP_MS.max));
    const timers = links.map((link, index) => setInterval(() => link.cut(), upMs[index]));
    return () => {
      for (const timer of timers) clearInterval(timer);
    };
  };

  const breakLink = (): Fault => {
    const [link, fault] = [random.pick(system.links), random.pick(LINK_FAULTS)];
    return {
      kind: `link: ${fault}`,
      label: `${link.name}: ${fault}`,
      lastsMs: random.between(1_000, 7_000),
      parts: [link.name],
      inflict: async () => link.break(fault),
      heal: async () => link.heal(),
    };
  };
  const flapLink = (): Fault => {
    const link = random.pick(system.links);
    let end = () => {};
    return {
      kind: "link: flapping",
      label: `${link.name}: cut every few seconds`,
      lastsMs: random.between(8_000, 12_000),
      parts: [link.name],
      inflict: async () => {
        end = flap([link]);
      },
      heal: async () => end(),
    };
  };

  /** Rows that nobody has claimed since their consumer died. */
  const unclaimed = async (): Promise<number> => {
    const sql = postgres(system.databaseUrl, { max: 1, onnotice: () => {} });
    try {
      const [row] = await sql<{ count: number }[]>`select count(*)::int as count from deliveries
        where state = 'active' and lease_until < now() - ${CLAIMED_WITHIN_MS - LEASE_MS} * interval '1 ms'`;
      return row?.count ?? 0;
    } finally {
      await sql.end();
    }
  };
  /** Every link to Redis flaps, and meanwhile a consumer dies: its peers claim its entries all the same. */
  const flapRedis = (): Fault => {
    const links = system.links.filter(({ name }) => name.endsWith("-> redis"));
    const victim = random.pick(system.victims.filter(({ groups }) => groups.includes(MAIL)));
    let end = () => {};
    let left = 0;
    return {
      kind: "links to redis flapping",
      label: `all links to redis cut every few seconds, kill -9 ${victim.name}`,
      lastsMs: CLAIMED_WITHIN_MS + LEASE_MS,
      // Postgres as well: at the end the ledger is asked what nobody has claimed.
      parts: ["redis", "postgres", victim.name, ...links.map(({ name }) => name)],
      unaffected: MAIL,
      inflict: async () => {
        end = flap(links);
        await victim.kill();
      },
      heal: async () => {
        left = await unclaimed();
        end();
        victim.start();
      },
      verify: async () =>
        left === 0 ? [] : [`${left} deliveries of ${victim.name} unclaimed ${CLAIMED_WITHIN_MS} ms after its death`],
    };
  };
  return { breakLink, flapLink, flapRedis };
};
