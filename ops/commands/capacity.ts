import { buildCommand, type Command } from "@stricli/core";
import type { CAPACITY_CONSTANTS } from "../../runtime/capacity/constants.ts";
import { DEFAULT_LOAD, mailLatencyOf, peakFactorOf, signupsPerDayOf } from "../../runtime/capacity/load.ts";
import type { Capacity } from "../../runtime/capacity/model.ts";
import { bytes, count } from "../../runtime/quantity.ts";
import { PROGRAM, type Surroundings } from "../command.ts";
import { type CommonFlags, JSON_FLAG } from "../flags.ts";
import type { Style } from "../terminal/style.ts";
import { pairs, table } from "../terminal/table.ts";

interface Flags extends Pick<CommonFlags, "json"> {
  readonly signupsPerDay: number;
  readonly peakFactor: number;
  readonly mailLatency: number;
  readonly constants?: boolean;
}

const cores = (value: number): string => (value < 10 ? value.toFixed(2) : count(Math.ceil(value)));

const capacityText = (style: Style, capacity: Capacity): string => {
  const { peakSignupsPerSecond, mailsPerDay, api, consumers, scaling, postgres, redis, bill, limits } = capacity;
  return [
    pairs(style, [
      ["signups a second, at the peak", peakSignupsPerSecond.toFixed(2)],
      ["mails a day, at most", count(mailsPerDay)],
      ["mails in 30 days, at most", count(bill.mailsPerMonth)],
      ["mails a second of one consumer", consumers.mailsPerSecond.toFixed(1)],
      ["SMTP connections, at the peak", count(consumers.smtpConnections)],
      ["Postgres connections, at the peak", count(postgres.connections)],
      ["rows a day", count(postgres.rowsPerDay)],
      ["disk a day, with indexes", bytes(postgres.bytesPerDay)],
      ["disk in 30 days", bytes(bill.diskBytesPerMonth)],
      ["write-ahead log a day", bytes(postgres.walBytesPerDay)],
      ["lagCount", count(scaling.lagTarget)],
      ["maxReplicaCount of a mail group", count(scaling.maxReplicas)],
    ]),
    "",
    table(
      style,
      [
        { title: "at the peak" },
        { title: "how many", align: "right" },
        { title: "cores", align: "right" },
        { title: "memory", align: "right" },
      ],
      [
        ["api", count(api.replicas), cores(api.cores), bytes(api.memoryBytes)],
        ["consumers of both mail groups", count(consumers.total), cores(consumers.cores), bytes(consumers.memoryBytes)],
        ["Postgres", "1", cores(postgres.cores), "-"],
        ["Redis", "1", cores(redis.cores), bytes(redis.memoryBytes)],
        ["in all", "", cores(bill.cores), bytes(bill.memoryBytes)],
      ],
    ),
    ...limits.map((limit) => `\n${style("warning", `${limit}.`)}`),
  ].join("\n");
};

const constantsText = (style: Style, constants: typeof CAPACITY_CONSTANTS): string =>
  table(
    style,
    [
      { title: "constant" },
      { title: "value", align: "right" },
      { title: "unit", wraps: true },
      { title: "source", wraps: true },
      { title: "date" },
    ],
    Object.entries(constants).map(([name, { value, unit, source, date }]) => [name, count(value), unit, source, date]),
  );

const load = (parse: (text: string) => number, fallback: string, placeholder: string, brief: string) =>
  ({ kind: "parsed", parse, default: fallback, placeholder, brief }) as const;

/** Says what a load takes, by the model. It needs neither a store nor settings. */
export const capacityCommand: Command<Surroundings> = buildCommand<Flags, [], Surroundings>({
  docs: {
    brief: "Say what a number of signups takes: processes, connections, disk, memory",
    fullDescription: [
      "Says what a number of signups takes: processes, connections, disk and memory.",
      "",
      "A model, which asks no store. It counts with figures that were measured, each with its source and date: --constants shows them,",
      "and docs/capacity.md derives what follows. The peak is the busiest minutes of a day, as a multiple of its average; the latency",
      "is what the mail server takes for one mail.",
      "",
      "EXAMPLES",
      `  ${PROGRAM} capacity --signups-per-day 1000000 --peak-factor 5 --mail-latency 200ms  a million a day`,
      `  ${PROGRAM} capacity --constants                                                     what it counts with`,
      `  ${PROGRAM} capacity --signups-per-day 100000000 --json                              for scripts`,
    ].join("\n"),
  },
  parameters: {
    flags: {
      signupsPerDay: load(signupsPerDayOf, DEFAULT_LOAD.signupsPerDay, "N", "Signups in a day"),
      peakFactor: load(peakFactorOf, DEFAULT_LOAD.peakFactor, "F", "The peak, as a multiple of the average"),
      mailLatency: load(mailLatencyOf, DEFAULT_LOAD.mailLatency, "TIME", "What the mail server takes for one mail"),
      constants: { kind: "boolean", optional: true, withNegated: false, brief: "The figures that it counts with" },
      json: JSON_FLAG,
    },
  },
  async func({ constants, signupsPerDay, peakFactor, mailLatency: mailLatencyMs }) {
    await this.conclude(async () => {
      if (constants === true) {
        const { CAPACITY_CONSTANTS: known } = await import("../../runtime/capacity/constants.ts");
        return { json: known, text: (style) => constantsText(style, known) };
      }
      const { capacityFor } = await import("../../runtime/capacity/model.ts");
      const asked = { signupsPerDay, peakFactor, mailLatencyMs };
      const capacity = capacityFor(asked);
      return { json: { ...asked, ...capacity }, text: (style) => capacityText(style, capacity) };
    });
  },
});
