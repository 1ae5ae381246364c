import assert from "node:assert/strict";
import { readBacklog } from "../../database/ledger/counts.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { measureRedisStreams } from "../../tests/kubernetes/keda/redis-streams-scaler.ts";
import { startMailServer } from "../../tests/mail-server.ts";
import { aSystem, type RunningProcess, type System } from "../../tests/processes.ts";
import { portOf, signUpMany, times } from "../load.ts";
import { openStream } from "../open-stream.ts";
import { createAutoscaler, type Scaling } from "./autoscaler.ts";
import type { Course } from "./simulate.ts";

/** A burst against consumers as processes. */
export interface RealBurst {
  readonly signups: number;
  readonly mailLatencyMs: number;
  readonly lagTarget: number;
  readonly backlogTarget: number;
  /** The controllers' times, and the mail server's, are divided by it. */
  readonly compression: number;
  /** The run fails if it takes longer, in s of compressed time. */
  readonly longest: number;
}

const CONNECTIONS = 32;
const LOOK_EVERY_MS = 50;
const group = WELCOME_EMAIL.name;

/** Consumers of the group, as many as there are to be: started when they are missing, ended by SIGTERM when they are too many. */
const consumersOf = (system: System) => {
  const running: Promise<RunningProcess>[] = [];
  const ending: Promise<unknown>[] = [];
  return {
    count: () => running.length,
    become: (replicas: number): void => {
      while (running.length < replicas) running.push(system.consumer({}, group));
      for (const each of running.splice(replicas)) {
        ending.push(
          each.then((consumer) => {
            consumer.kill("SIGTERM");
            return consumer.exited;
          }),
        );
      }
    },
    ended: () => Promise.all(ending),
  };
};

/**
 * Signs people up at once, with no consumer, and lets KEDA's and HPA's rules start and end consumers until none is left. Each person
 * has exactly one mail then, or it throws. Times in the answer are uncompressed.
 */
export const runProcesses = async (burst: RealBurst, scaling: Scaling): Promise<Course> => {
  const { signups, compression, mailLatencyMs, longest } = burst;
  const mailServer = await startMailServer({
    beforeReply: () => Bun.sleep(mailLatencyMs / compression),
  });
  await using system = await aSystem({ mailServer });
  const { db } = system.database;
  const redis = await openStream(system);
  const api = await system.api();
  await signUpMany({ port: portOf(api.url), connections: CONNECTIONS, more: times(signups) });

  const measure = async () => {
    const lagOf = (stream: string) =>
      measureRedisStreams(redis, { stream, consumerGroup: group, lagCount: String(burst.lagTarget) });
    const { unfinished } = await readBacklog(db, group);
    const backlog = {
      kind: "value",
      value: unfinished,
      target: burst.backlogTarget,
      isActive: unfinished > 0,
    } as const;
    const lags = await Promise.all([system.keys.events, system.keys.retriesStream(group)].map(lagOf));
    return { unfinished, measurements: [...lags, backlog] };
  };

  const autoscaler = createAutoscaler(scaling);
  const consumers = consumersOf(system);
  const points: Course["points"][number][] = [];
  const startedAt = performance.now();
  let drainedAt = Number.NaN;
  let podSeconds = 0;
  let before = 0;
  for (;;) {
    const now = ((performance.now() - startedAt) / 1_000) * compression;
    if (now / compression > longest) throw new Error(`not drained and gone within ${longest} s`);
    podSeconds += consumers.count() * (now - before);
    before = now;
    if (now >= autoscaler.nextAt()) {
      const { unfinished, measurements } = await measure();
      consumers.become(autoscaler.look(now, measurements));
      points.push({ at: now, waiting: unfinished, replicas: consumers.count() });
      if (mailServer.taken.length >= signups && Number.isNaN(drainedAt)) drainedAt = now;
      if (!Number.isNaN(drainedAt) && consumers.count() === 0) break;
    }
    await Bun.sleep(LOOK_EVERY_MS);
  }
  await consumers.ended();
  redis.disconnect();
  const people = new Set(mailServer.taken.map(({ to }) => to[0]));
  assert.equal(people.size, signups, "somebody has no mail");
  assert.equal(mailServer.taken.length, signups, "somebody has two mails");
  return { points, drainedAt, podSeconds };
};
