import type { Handler } from "hono";
import { streamSSE } from "hono/streaming";
import { pause } from "../../runtime/loop.ts";
import { type Description, problems } from "../openapi/describe.ts";
import { ProblemError, retryAfter } from "../problem.ts";
import type { Operation } from "../resource.ts";
import { eventIdParameter } from "./event-route.ts";
import { type EventStatus, type FindEvent, toEventStatusAnswer } from "./event-status.ts";
import type { StateWatcher } from "./state-watcher.ts";

export interface EventStreamDeps {
  readonly findEvent: FindEvent;
  readonly watcher: StateWatcher;
  /** Aborted when the process is to stop: open streams would keep it from exiting. */
  readonly stopping: AbortSignal;
  /** Open streams, over all events; further ones are refused. */
  readonly maxStreams?: number;
}

const MAX_STREAMS = 1_000;
const RETRY_AFTER_MS = 5_000;
/** How often the ledger is read without a hint: a hint may be lost, and without Redis there are none. */
const POLL_EVERY_MS = 5_000;
const POLL_EVERY_WITHOUT_HINTS_MS = 1_000;
/** A comment in a quiet stream, so that no proxy closes it as idle. */
const HEARTBEAT_EVERY_MS = 15_000;

/**
 * `GET /api/v1/events/{event_id}/stream`: the event's status as Server-Sent Events (HTML Living Standard, 9.2): an
 * event `status` at once and at each change, until a final state. The ledger is the truth; Redis Pub/Sub only says when
 * to read it.
 */
export const eventStreamRoute = (deps: EventStreamDeps): Operation => {
  const { findEvent, watcher, stopping, maxStreams = MAX_STREAMS } = deps;
  let streams = 0;

  const description: Description = {
    operationId: "watchEvent",
    summary: "The same, live: Server-Sent Events until a final state",
    tags: ["status"],
    parameters: [eventIdParameter],
    responses: {
      200: {
        description: "An event `status` at once and at each change; its data is the JSON of the event's status.",
        content: { "text/event-stream": { schema: { type: "string" } } },
      },
      ...problems("event_not_found", "too_busy", "database_unavailable"),
    },
  };

  const handler: Handler = async (c) => {
    const eventId = c.req.param("event_id");
    if (streams >= maxStreams) throw new ProblemError("too_busy", { headers: retryAfter(RETRY_AFTER_MS) });
    const first = await findEvent(eventId);
    if (first === undefined || eventId === undefined) throw new ProblemError("event_not_found");

    c.header("Cache-Control", "no-store");
    c.header("X-Accel-Buffering", "no");
    return streamSSE(c, async (stream) => {
      streams += 1;
      const ended = new AbortController();
      stream.onAbort(() => ended.abort());
      const end = AbortSignal.any([ended.signal, stopping]);
      // A hint that arrives during a write must not be lost: the next wait then ends at once.
      let isHinted = false;
      let wake = () => {};
      const unwatch = watcher.watch(eventId.toLowerCase(), () => {
        isHinted = true;
        wake();
      });
      try {
        let lastSent = "";
        let writtenAt = performance.now();
        let status: EventStatus | undefined = first;
        while (!end.aborted) {
          const answer = status === undefined ? undefined : toEventStatusAnswer(status);
          const data = JSON.stringify(answer);
          if (answer !== undefined && data !== lastSent) {
            await stream.writeSSE({ event: "status", data });
            lastSent = data;
            writtenAt = performance.now();
            if (answer.final) return;
          } else if (performance.now() - writtenAt >= HEARTBEAT_EVERY_MS) {
            await stream.write(": still here\n\n");
            writtenAt = performance.now();
          }
          const hint = new Promise<void>((resolve) => {
            wake = resolve;
            if (isHinted) resolve();
          });
          const pollEveryMs = watcher.isConnected() ? POLL_EVERY_MS : POLL_EVERY_WITHOUT_HINTS_MS;
          const waited = new AbortController();
          await Promise.race([hint, pause(pollEveryMs, AbortSignal.any([end, waited.signal]))]);
          waited.abort();
          isHinted = false;
          // A short outage of the database does not end the stream; the client keeps waiting.
          status = await findEvent(eventId).catch(() => status);
        }
      } finally {
        unwatch();
        streams -= 1;
      }
    });
  };
  return { description, handler };
};
