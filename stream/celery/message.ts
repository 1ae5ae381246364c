import { inflateSync } from "node:zlib";
import { z } from "zod";

/** A task as a producer of Celery has called it. */
export interface CeleryTask {
  readonly id: string;
  /** In full: `app.tasks.send`. */
  readonly name: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** Tries so far, without the first. */
  readonly retries: number;
  /** Not before this time, as Celery wrote it; null: at once. */
  readonly eta: string | null;
  /** Not after this time. */
  readonly expires: string | null;
  /** Other tasks are to follow when it has ended: a chain, a chord, a callback. */
  readonly hasFollowUps: boolean;
  /** A worker had it before, and has given it back, or not acknowledged it in time. */
  readonly isRedelivered: boolean;
}

/** Why a message cannot be read. */
export type UnreadableReason = "not_json" | "unknown_envelope" | "unknown_encoding" | "compressed" | "unreadable_body";

export type DecodedTask =
  | { readonly kind: "task"; readonly task: CeleryTask }
  /** `id` and `name`, as far as the envelope says. */
  | {
      readonly kind: "unreadable";
      readonly reason: UnreadableReason;
      readonly id: string | undefined;
      readonly name: string | undefined;
    };

const moment = z.string().nullish().default(null);
const retries = z.int().min(0).nullish();

/** kombu's envelope on Redis (kombu/transport/virtual/base.py). */
const envelopeSchema = z.object({
  body: z.string(),
  "content-type": z.string(),
  "content-encoding": z.string(),
  headers: z.record(z.string(), z.unknown()).nullish(),
  properties: z.object({ body_encoding: z.string().optional() }),
});

/** https://docs.celeryq.dev/en/stable/internals/protocol.html, version 2: the task is described in the headers. */
const headersSchema = z.object({
  id: z.string().min(1),
  task: z.string().min(1),
  retries,
  eta: moment,
  expires: moment,
});

const followUps = z
  .object({ callbacks: z.unknown(), errbacks: z.unknown(), chain: z.unknown(), chord: z.unknown() })
  .partial();
const args = z.array(z.unknown()).nullish();
const kwargs = z.record(z.string(), z.unknown()).nullish();
const bodySchema = z.tuple([args, kwargs, followUps.nullish()]);

/** Version 1: the task is described in the body. */
const firstBodySchema = headersSchema.extend({ args, kwargs }).extend(followUps.shape);

const isThere = (value: unknown): boolean =>
  value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);

const hasFollowUps = ({ callbacks, errbacks, chain, chord }: z.infer<typeof followUps>): boolean =>
  [callbacks, errbacks, chain, chord].some(isThere);

/** undefined: no JSON. */
export const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const nameIn = (headers: Readonly<Record<string, unknown>>, field: "id" | "task"): string | undefined => {
  const value = headers[field];
  return typeof value === "string" ? value : undefined;
};

/** What kombu calls gzip is zlib's format. Its others, bzip2, lzma and brotli, are rare. */
const ZLIB = "application/x-gzip";
/** Of a body that is inflated, in bytes: a task has some hundred. */
const LONGEST_BODY = 1 << 20;

/** Undefined: it cannot be read. */
const bodyOf = (
  body: string,
  { encoding, isDeflated }: { encoding: string | undefined; isDeflated: boolean },
): unknown => {
  const bytes = Buffer.from(body, encoding === "base64" ? "base64" : "utf8");
  try {
    return jsonOf((isDeflated ? inflateSync(bytes, { maxOutputLength: LONGEST_BODY }) : bytes).toString("utf8"));
  } catch {
    return undefined;
  }
};

/** Decodes a message, parsed from JSON. Never throws, whatever it contains. */
export const decodeTask = (message: unknown): DecodedTask => {
  if (message === undefined) return { kind: "unreadable", reason: "not_json", id: undefined, name: undefined };
  const envelope = envelopeSchema.safeParse(message);
  const headers = envelope.data?.headers ?? {};
  const unreadable = (reason: UnreadableReason): DecodedTask => ({
    kind: "unreadable",
    reason,
    id: nameIn(headers, "id"),
    name: nameIn(headers, "task"),
  });
  if (!envelope.success) return unreadable("unknown_envelope");
  const { body, properties, ...content } = envelope.data;
  const encoding = properties.body_encoding;
  if (encoding !== undefined && encoding !== "base64") return unreadable("unknown_encoding");
  if (content["content-type"] !== "application/json" || !/^utf-?8$/i.test(content["content-encoding"])) {
    return unreadable("unknown_encoding");
  }
  const { compression } = headers;
  const isDeflated = compression === ZLIB;
  if (isThere(compression) && !isDeflated) return unreadable("compressed");
  const parsed = bodyOf(body, { encoding, isDeflated });
  const isRedelivered = headers["redelivered"] === true;
  if (headers["task"] === undefined) {
    const first = firstBodySchema.safeParse(parsed);
    return first.success
      ? taskOf(first.data, first.data, { ...first.data, isRedelivered })
      : unreadable("unreadable_body");
  }
  const described = headersSchema.safeParse(headers);
  const second = bodySchema.safeParse(parsed);
  if (!described.success || !second.success) return unreadable("unreadable_body");
  const [given, named, embed] = second.data;
  return taskOf(described.data, { args: given, kwargs: named }, { ...embed, isRedelivered });
};

const taskOf = (
  { id, task, retries: tries, eta, expires }: z.infer<typeof headersSchema>,
  given: { readonly args?: readonly unknown[] | null | undefined; readonly kwargs?: z.infer<typeof kwargs> },
  { isRedelivered, ...embed }: z.infer<typeof followUps> & { readonly isRedelivered: boolean },
): DecodedTask => ({
  kind: "task",
  task: {
    id,
    name: task,
    args: given.args ?? [],
    kwargs: given.kwargs ?? {},
    retries: tries ?? 0,
    eta,
    expires,
    hasFollowUps: hasFollowUps(embed),
    isRedelivered,
  },
});

/** Whether a task is meant by its full name, or by the last part of it. */
export const isNamed = (task: Pick<CeleryTask, "name">, wanted: string): boolean =>
  task.name === wanted || task.name.endsWith(`.${wanted}`);

const ISO = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d{1,3})?\d*(Z|[+-]\d\d:?\d\d)?$/;

/** How far a zone is ahead of UTC at a moment, in ms. */
const offsetMs = (zone: string, at: number): number => {
  const parts = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(at);
  const [, sign, hours, minutes] =
    /GMT([+-])(\d\d):(\d\d)/.exec(parts.find(({ type }) => type === "timeZoneName")?.value ?? "") ?? [];
  const ahead = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
  return sign === "-" ? -ahead : ahead;
};

/** A time as Celery writes it (`datetime.isoformat()`); one without an offset is in the zone of the app. Undefined: it is none. */
export const celeryMoment = (text: string, zone: string): Date | undefined => {
  const [, day, time, fraction = "", offset] = ISO.exec(text) ?? [];
  if (day === undefined || time === undefined) return undefined;
  const asUtc = Date.parse(`${day}T${time}${fraction}${offset ?? "Z"}`);
  if (Number.isNaN(asUtc)) return undefined;
  if (offset !== undefined) return new Date(asUtc);
  // Near a change of the clocks the offset of the first guess is that of the other side.
  const guess = asUtc - offsetMs(zone, asUtc);
  return new Date(asUtc - offsetMs(zone, guess));
};
