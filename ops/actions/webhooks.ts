import { pausesOf } from "../../database/groups/pauses.ts";
import { renewAges } from "../../database/ledger/renew-age.ts";
import { randomHex, randomTraceContext } from "../../observability/trace-context.ts";
import { resolveHost } from "../../runtime/webhook/resolve.ts";
import { sendWebhook, type WebhookResult } from "../../runtime/webhook/send.ts";
import { requireReceiver, type Settings } from "../../settings/load.ts";
import type { Receiver } from "../../settings/webhooks.ts";
import { webhookBody } from "../../stream/events/webhook.ts";
import { webhookGroupName } from "../../stream/groups.ts";
import { resumeGroup } from "../../stream/pauses.ts";
import { audited } from "./audited.ts";
import { NotFound, type Operator } from "./operator.ts";
import { untilStoresAnswer } from "./stores.ts";

/** The type of a sample: no event has it, so that a receiver does not take it for one. */
const SAMPLE_TYPE = "webhook.test.v1";

/**
 * The receiver of that name.
 *
 * @throws {NotFound} naming the receivers there are
 */
export const receiverNamed = (receivers: readonly Receiver[], name: string): Receiver => {
  const found = receivers.find((receiver) => receiver.name === name);
  if (found !== undefined) return found;
  const names = receivers.map((receiver) => receiver.name).join(", ");
  throw new NotFound(`WEBHOOKS names no receiver ${name}; there are: ${names === "" ? "none" : names}`);
};

/** Whether a receiver took it. */
export const isAccepted = (result: WebhookResult): boolean =>
  result.kind === "answered" && result.status >= 200 && result.status < 300;

/** What a receiver made of it, in words. */
export const resultWords = (result: WebhookResult): string => {
  switch (result.kind) {
    case "answered":
      return `answered ${result.status}`;
    case "failed":
      return `failed: ${result.reason}`;
    case "stopped":
      return "was not sent: stopped";
  }
};

/** What became of a sample. */
export interface SampleReport {
  readonly receiver: string;
  readonly id: string;
  readonly result: WebhookResult;
  readonly tookMs: number;
}

/**
 * Sends a receiver a sample, signed and checked as every webhook is; its data is what a signup has.
 *
 * @throws {BadSettings} naming what is missing of the receiver's settings
 */
export const sendSample = async (
  settings: Pick<Settings, "WEBHOOK_ALLOW_PRIVATE" | "WEBHOOK_TIMEOUT_MS">,
  receiver: Receiver,
  signal: AbortSignal,
): Promise<SampleReport> => {
  const { name, url, secrets, contentType } = requireReceiver(receiver);
  const { WEBHOOK_ALLOW_PRIVATE: allowPrivate, WEBHOOK_TIMEOUT_MS: timeoutMs } = settings;
  const [id, userId, at] = [Bun.randomUUIDv7(), Bun.randomUUIDv7(), new Date()];
  const data = {
    user_id: userId,
    user_name: "Sample",
    email: "sample@example.com",
    locale: "en",
    created_at: at.toISOString(),
  };
  const body = webhookBody(contentType, { eventId: id, type: SAMPLE_TYPE }, { at, subject: userId, data });
  const startedAt = performance.now();
  const result = await sendWebhook(
    { url, secrets, allowPrivate, timeoutMs, resolve: resolveHost },
    { id, contentType, body, trace: randomTraceContext(randomHex) },
    { signal, commit: () => true },
  );
  return { receiver: name, id, result, tookMs: Math.round(performance.now() - startedAt) };
};

/** Sends a receiver a sample, and records that. Nothing is written to the ledger. */
export const testReceiver = audited({
  name: "webhook test",
  describe: ([, { name }]) => ({ group: webhookGroupName(name) }),
  run: ({ signal }: Operator, settings: Parameters<typeof sendSample>[0], receiver: Receiver) =>
    sendSample(settings, receiver, signal),
  resultOf: ({ result }) => ({ affected: Number(isAccepted(result)), stopped: result.kind === "stopped" }),
});

/** What enabling a receiver did. */
export interface EnableReport {
  readonly receiver: string;
  readonly group: string;
  /** Whether its group was paused. */
  readonly changed: boolean;
  /** Webhooks that wait, whose age begins now: none expires because the receiver was disabled. */
  readonly waiting: number;
}

/** Enables a receiver that was disabled: ages first, then the group resumes. May be stopped, and run again. */
export const enableReceiver = audited({
  name: "webhook enable",
  describe: ([{ name }]) => ({ group: webhookGroupName(name) }),
  async run({ db, redis, keys, signal }: Operator, { name }: Pick<Receiver, "name">): Promise<EnableReport> {
    const group = webhookGroupName(name);
    // As `resume` does, before anything is done.
    await untilStoresAnswer({ db, redis }, ["redis"]);
    const waiting = await renewAges(db, group, signal);
    const changed = signal.aborted ? false : await resumeGroup({ pauses: pausesOf(db), redis, keys }, group);
    return { receiver: name, group, changed, waiting };
  },
  resultOf: ({ changed, waiting }) => ({ affected: waiting + Number(changed) }),
});
