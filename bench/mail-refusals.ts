import { WELCOME_EMAIL } from "../stream/groups.ts";
import { eventually } from "../tests/eventually.ts";
import { aSystem, type System } from "../tests/processes.ts";
import { MIXED_SHAPES } from "../tests/refused-recipients/mixed-shapes.ts";
import { mailsOf, SHAPES, type Shape } from "../tests/refused-recipients/shapes.ts";
import { startTestServers } from "../tests/servers.ts";
import { cpuOf } from "./cpu.ts";
import { portOf, signUpMany, times } from "./load.ts";
import { quantile } from "./statistics.ts";
import { startWeatherServer } from "./weather-server.ts";

/**
 * `bun bench/mail-refusals.ts [row,row...]`: what recipients that a mail server refuses cost the others. For each row of its table it
 * prints when the first good mail was taken since its consumer was ready, when nine tenths and the last, how many good mails a second
 * that is, and which share of the same good mails without the bad ones; then how many good ones used more than an attempt. Of mails
 * that arrive by and by it prints how long the good ones took, instead.
 */
const rows = process.argv[2]?.split(",").map(Number);

interface Figures {
  readonly times: string;
  readonly perSecond: number;
  /** Of the consumers, in cores. */
  readonly cpu: number;
  /** Good deliveries that used more than one attempt, or are not done. */
  readonly retried: number;
  readonly open: number;
}

/** As an operator would set it, in place of what is short for tests. */
const SETTINGS = { CLAIM_MIN_IDLE_MS: "10000", RETRY_DELAY_MS: "30000", RECONCILE_AFTER_MS: "60000" };
const LONGEST_MS = 90_000;
/** Over the twenty connections of a consumer 50 mails a second: so little that the share of a slow machine is small. */
const MAIL_MS = 400;
const numberOf = (address: string): number => Number(/-(\d+)@/.exec(address)?.[1]);

const attemptsOfGood = async ({ database }: System, isGood: (number: number) => boolean) => {
  const deliveries = await database.db
    .selectFrom("deliveries")
    .innerJoin("events", "events.event_id", "deliveries.event_id")
    .innerJoin("users", (join) => join.on((eb) => eb(eb.cast("users.id", "text"), "=", eb.ref("events.subject"))))
    .select(["state", "attempts", "email"])
    .where("group_name", "=", WELCOME_EMAIL.name)
    .execute();
  const good = deliveries.filter(({ email }) => isGood(numberOf(email)));
  return {
    retried: good.filter(({ state, attempts }) => attempts > (state === "done" ? 1 : 0)).length,
    open: good.filter(({ state }) => state !== "done").length,
  };
};

const measure = async (shape: Shape, withBad: boolean): Promise<Figures> => {
  const { bad, good, isMixed, answer, at = "rcpt", mailMs = MAIL_MS, greetingMs = 0, pipelines = true } = shape;
  const { consumers = 1, killAfterMs, goodPerSecond, settings = {} } = shape;
  const takenAt: number[] = [];
  const sentAt = new Map<number, number>();
  const tookMs: number[] = [];
  const mails = mailsOf(shape, withBad);
  const isBad = (number: number) => mails[number - 1]?.isBad === true;
  let startedAt = Number.POSITIVE_INFINITY;
  const answerTo = (address: string) => {
    if (!isBad(numberOf(address))) return undefined;
    return typeof answer === "function" ? answer(performance.now() - startedAt, numberOf(address)) : answer;
  };
  await using server = startWeatherServer({
    mailMs,
    pipelines,
    ...(greetingMs === 0 ? {} : { onConnect: () => ({ afterMs: greetingMs }) }),
    ...(at === "rcpt" ? { onRcpt: answerTo } : at === "data" ? { onData: answerTo } : { onWhole: answerTo }),
    onTaken: (address) => {
      const number = numberOf(address);
      if (isBad(number)) return;
      takenAt.push(performance.now());
      tookMs.push(performance.now() - (sentAt.get(number) ?? 0));
    },
  });
  await using system = await aSystem({ settings: { ...SETTINGS, MAIL_PORT: String(server.port), ...settings } });
  const api = await system.api();
  const domainOf = (number: number) => {
    sentAt.set(number, performance.now());
    return mails[number - 1]?.domain ?? "";
  };
  const load = { port: portOf(api.url), domainOf, connections: 16 };
  const isArriving = goodPerSecond !== undefined;
  const before = isArriving ? (withBad && isMixed !== true ? bad : 0) : mails.length;
  await signUpMany({ ...load, more: times(before) });
  const started = await Promise.all(Array.from({ length: consumers }, () => system.consumer({}, WELCOME_EMAIL.name)));
  startedAt = performance.now();
  const arriving = mails.length - before;
  const everyMs = isArriving ? (1_000 * load.connections * good) / (arriving * goodPerSecond) : 0;
  const arrived = signUpMany({ ...load, more: times(arriving), everyMs, before });
  if (killAfterMs !== undefined) {
    await Bun.sleep(killAfterMs);
    started[0]?.kill("SIGKILL");
    started.push(await system.consumer({}, WELCOME_EMAIL.name));
  }
  const arrivalMs = isArriving ? (1_000 * good) / goodPerSecond : 0;
  await eventually(() => takenAt.length >= good, LONGEST_MS + arrivalMs).catch(() => {});
  await arrived;
  const endedAt = performance.now();
  const cpu = started.reduce((sum, { pid }) => sum + cpuOf(pid), 0) / 1_000 / (endedAt - startedAt);
  const s = (index: number) => (((takenAt[index] ?? Number.NaN) - startedAt) / 1_000).toFixed(1);
  const most = Math.ceil(good * 0.9) - 1;
  const quantiles = [0.5, 0.9, 0.99, 1].map((share) => (quantile(tookMs, share) / 1_000).toFixed(1)).join(" ");
  const perSecond = (takenAt.length * 1_000) / Math.max(1, (takenAt.at(-1) ?? Number.NaN) - (takenAt[0] ?? Number.NaN));
  return {
    times: isArriving
      ? `${s(0)}: ${quantiles}`
      : `${s(0)} ${s(most)} ${takenAt.length < good ? `${takenAt.length} of ${good}` : s(good - 1)}`,
    perSecond,
    cpu,
    ...(await attemptsOfGood(system, (number) => !isBad(number))),
  };
};

await using servers = await startTestServers();
Object.assign(process.env, servers.environment);
for (const [row, shape] of [...SHAPES, ...MIXED_SHAPES].entries()) {
  if (rows !== undefined && !rows.includes(row)) continue;
  const without = await measure(shape, false);
  const figures = await measure(shape, true);
  const columns = [
    String(row).padStart(2),
    shape.name.padEnd(34),
    `${shape.bad} ${shape.isMixed === true ? "among" : "before"} ${shape.good}`.padEnd(18),
    `${figures.times} s (${without.times})`.padEnd(50),
    `${figures.perSecond.toFixed(0)}/s of ${without.perSecond.toFixed(0)}/s`.padEnd(14),
    `${((100 * figures.perSecond) / without.perSecond).toFixed(0)} %`.padEnd(5),
    `cores ${figures.cpu.toFixed(2)} (${without.cpu.toFixed(2)})`,
    `retried ${figures.retried}`,
    `open ${figures.open}`,
  ];
  console.log(columns.join("  "));
}
