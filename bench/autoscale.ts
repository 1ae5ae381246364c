import { parseArgs } from "node:util";
import { mailsPerSecond } from "../runtime/capacity/model.ts";
import { startTestServers } from "../tests/servers.ts";
import { type DrawnCourse, pictureOf } from "./autoscale/picture.ts";
import { runProcesses } from "./autoscale/processes.ts";
import { readScaling } from "./autoscale/scaling.ts";
import { simulate } from "./autoscale/simulate.ts";

/**
 * `bun bench/autoscale.ts [--signups N] [--latency MS] [--targets A,B] [--cooldown S] [--window S] [--picture FILE] [--processes]
 * [--compression F]`: a burst of signups with no consumer, and KEDA's and HPA's rules from 0 to N and back to 0, for each target of the lag. Without --processes consumers are a
 * rate each; with it they are processes, the controllers' times and the mail server's are divided by F, and each person must have one mail.
 */
const { values } = parseArgs({
  options: {
    signups: { type: "string", default: "20000" },
    latency: { type: "string", default: "500" },
    targets: { type: "string", default: "50,100,200,400,1000,4000" },
    picture: { type: "string" },
    processes: { type: "boolean", default: false },
    compression: { type: "string", default: "4" },
    longest: { type: "string", default: "900" },
    cooldown: { type: "string" },
    window: { type: "string" },
  },
});

const POD_START_S = 3;
/** The backlog's target follows that of the lag, as in the manifests. */
const BACKLOG_BY_LAG = 5;

const signups = Number(values.signups);
const mailLatencyMs = Number(values.latency);
const compression = Number(values.compression);
const longest = Number(values.longest);
const targets = values.targets.split(",").map(Number);

const manifests = await readScaling();
const scaling = {
  ...manifests,
  cooldownPeriod: Number(values.cooldown ?? manifests.cooldownPeriod),
  scaleDownWindow: Number(values.window ?? manifests.scaleDownWindow),
};

const courseOf = (lagTarget: number) => {
  const shared = { signups, lagTarget, backlogTarget: lagTarget * BACKLOG_BY_LAG };
  if (!values.processes) {
    return simulate({ ...shared, perSecond: mailsPerSecond(mailLatencyMs), podStart: POD_START_S }, scaling);
  }
  return runProcesses({ ...shared, mailLatencyMs, compression, longest }, scaling);
};

const run = async (): Promise<void> => {
  const drawn: DrawnCourse[] = [];
  for (const target of targets) {
    const course = await courseOf(target);
    const most = Math.max(...course.points.map(({ replicas }) => replicas));
    console.log(
      `lagCount ${target}: drained after ${course.drainedAt.toFixed(0)} s, ${course.podSeconds.toFixed(0)} pod-seconds, ${most} consumers at most`,
    );
    drawn.push({ title: `lagCount ${target}`, course });
  }
  if (values.picture !== undefined) {
    await Bun.write(values.picture, pictureOf(drawn, { waiting: signups, replicas: scaling.maxReplicaCount }));
  }
};

if (values.processes) {
  await using servers = await startTestServers();
  Object.assign(process.env, servers.environment);
  await run();
} else {
  await run();
}
