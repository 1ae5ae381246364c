import { EventSourceParserStream } from "eventsource-parser/stream";
import type { Client } from "openapi-fetch";
import type { components, paths } from "./api.ts";

export type EventStatus = components["schemas"]["EventStatus"];

/** How long to wait before connecting again, in ms, until the server says it. */
const RECONNECT_MS = 2_000;

/**
 * Each status of an event, until the final one. What an EventSource does by itself in a browser: it connects again when the stream ends,
 * says what it has seen, and stops when the server answers 204.
 */
export async function* follow(client: Client<paths>, eventId: string): AsyncGenerator<EventStatus> {
  let lastEventId: string | undefined;
  let reconnectMs = RECONNECT_MS;
  while (true) {
    const { data, response } = await client.GET("/api/v1/events/{event_id}/stream", {
      params: {
        path: { event_id: eventId },
        header: lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId },
      },
      parseAs: "stream",
    });
    if (response.status === 204) return;
    if (response.ok && data) {
      const parser = new EventSourceParserStream({
        onRetry: (ms) => {
          reconnectMs = ms;
        },
      });
      for await (const event of data.pipeThrough(new TextDecoderStream()).pipeThrough(parser)) {
        lastEventId = event.id;
        const status: EventStatus = JSON.parse(event.data);
        yield status;
        if (status.final) return;
      }
    } else if (response.status !== 503) {
      throw new Error(`the event ${eventId} cannot be followed: ${response.status}`);
    }
    await new Promise((resolve) => setTimeout(resolve, reconnectMs));
  }
}
