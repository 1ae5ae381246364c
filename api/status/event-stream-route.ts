import type { Context, Handler } from "hono";
import { streamSSE } from "hono/streaming";
import { pause } from "../../runtime/loop.ts";
import { type Description, sseAnswer } from "../openapi/describe.ts";
import { ProblemError, retryAfter } from "../problem.ts";
import type { Operation } from "../resource.ts";
import { type EventRouteDeps, eventIdParameter, maySendServiceToken, readerOf } from "./event-route.ts";
import {
  type EventStatus,
  type EventStatusAnswer,
  eventStatusSchema,
  type Reader,
  toEventStatusAnswer,
} from "./event-status.ts";
import type { LiveStatuses } from "./live-statuses.ts";
import { createPlaces } from "./places.ts";

export interface EventStreamDeps extends EventRouteDeps {
  readonly live: Pick<LiveStatuses, "follow">;
  /** Whom a request is from; each client may have so many streams open. */
  readonly clientOf: (request: Request) => string;
  /** Aborted when the process is to stop: open streams would keep it from exiting. */
  readonly stopping: AbortSignal;
  readonly limits?: Partial<StreamLimits>;
}

/** Limits of live streams; further ones are refused. */
export interface StreamLimits {
  /** Open streams, over all events and clients. */
  readonly all: number;
  /** Open streams of one client: an office behind one address may watch so many signups at once. */
  readonly perClient: number;
  /** Longest life of a stream, in ms; then its client connects again. */
  readonly lifeMs: number;
}

const LIMITS: StreamLimits = { all: 1_000, perClient: 100, lifeMs: 30 * 60_000 };
const RETRY_AFTER_MS = 5_000;
/** How long an EventSource waits before it connects again. */
const RECONNECT_MS = 2_000;
/** A comment in a quiet stream, so that no proxy closes it as idle. */
const HEARTBEAT_EVERY_MS = 15_000;

const HEADERS = { "Cache-Control": "no-store", "X-Accel-Buffering": "no" };

/** What an EventSource sends back as `Last-Event-ID`: it changes with the status. */
const idOf = ({ updated_at: updatedAt, state }: EventStatusAnswer): string => `${Date.parse(updatedAt)}-${state}`;

/**
 * `GET /api/v1/events/{event_id}/stream`: the event's status as Server-Sent Events (HTML Living Standard, 9.2): an
 * event `status` at once and at each change, until a final state. Whoever connects again and has seen that state gets 204,
 * which ends an EventSource.
 */
export const eventStreamRoute = (deps: EventStreamDeps): Operation => {
  const { findEvent, isOperator, live, clientOf, stopping } = deps;
  const limits = { ...LIMITS, ...deps.limits };
  const places = createPlaces(limits.all, limits.perClient);

  const description: Description = {
    operationId: "watchEvent",
    summary: "The same, live: Server-Sent Events until a final state",
    description:
      "An event `status` at once and at each change, each with an `id`, until the state is final. Whoever connects again with " +
      "`Last-Event-ID`, as an EventSource does by itself, is not sent that status again; after the final one the answer is 204, " +
      "which ends an EventSource. Comments keep a quiet stream open; after 30 minutes it ends, and its client connects again.",
    tags: ["status"],
    security: maySendServiceToken,
    parameters: [
      eventIdParameter,
      {
        name: "Last-Event-ID",
        in: "header",
        description: "The `id` of the last event that was received, as an EventSource sends it.",
        schema: { type: "string" },
      },
    ],
    responses: {
      200: {
        description: "A stream of events `status`. The schema is that of the JSON in the `data` of each.",
        content: sseAnswer("EventStatus", eventStatusSchema),
      },
      204: { description: "The last event that was received was final: nothing more will come." },
    },
    problems: ["event_not_found", "too_busy", "database_unavailable"],
  };

  /** Sends the status until it is final, or the client, the process or the stream's life has ended. */
  const send = (
    c: Context,
    {
      first,
      reader,
      lastSeen,
    }: { readonly first: EventStatus; readonly reader: Reader; readonly lastSeen?: string | undefined },
    giveBack: () => void,
  ): Response =>
    streamSSE(c, async (stream) => {
      const ended = new AbortController();
      stream.onAbort(() => ended.abort());
      const end = AbortSignal.any([ended.signal, stopping]);
      const isOver = new Promise<void>((resolve) => {
        end.addEventListener("abort", () => resolve());
      });
      // A client that does not read blocks a write for as long as it likes.
      const write = (writing: Promise<unknown>) => Promise.race([writing, isOver]);
      const endsAt = performance.now() + limits.lifeMs;
      let latest = first;
      let wake = () => {};
      const unfollow = live.follow(first.delivery.eventId, (status) => {
        latest = status;
        wake();
      });
      try {
        let lastSent = lastSeen;
        let writtenAt = performance.now();
        for (let now = writtenAt; !end.aborted && now < endsAt; now = performance.now()) {
          const answer = toEventStatusAnswer(latest, reader);
          const id = idOf(answer);
          if (id !== lastSent) {
            await write(stream.writeSSE({ event: "status", id, retry: RECONNECT_MS, data: JSON.stringify(answer) }));
            lastSent = id;
            writtenAt = performance.now();
          } else if (now - writtenAt >= HEARTBEAT_EVERY_MS) {
            await write(stream.write(": still here\n\n"));
            writtenAt = performance.now();
          }
          if (answer.final) return;
          const change = new Promise<void>((resolve) => {
            wake = resolve;
            if (idOf(toEventStatusAnswer(latest, reader)) !== lastSent) resolve();
          });
          const waited = new AbortController();
          const waitMs = Math.min(HEARTBEAT_EVERY_MS, endsAt - performance.now());
          await Promise.race([change, pause(waitMs, AbortSignal.any([end, waited.signal]))]);
          waited.abort();
        }
      } finally {
        unfollow();
        giveBack();
      }
    });

  const handler: Handler = async (c) => {
    // Before anything is awaited: else many requests at once would all see a free place.
    const giveBack = places.take(clientOf(c.req.raw));
    if (giveBack === undefined) throw new ProblemError("too_busy", { headers: retryAfter(RETRY_AFTER_MS) });
    let isStreaming = false;
    try {
      const reader = readerOf(c, isOperator);
      const first = await findEvent(c.req.param("event_id"));
      if (first === undefined) throw new ProblemError("event_not_found");
      for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
      if (c.req.method === "HEAD") return c.body(null, 200, { "Content-Type": "text/event-stream" });
      const answer = toEventStatusAnswer(first, reader);
      const lastSeen = c.req.header("last-event-id");
      if (answer.final && lastSeen === idOf(answer)) return c.body(null, 204);
      isStreaming = true;
      return send(c, { first, reader, lastSeen }, giveBack);
    } finally {
      if (!isStreaming) giveBack();
    }
  };
  return { description, handler };
};
