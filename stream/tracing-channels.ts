import { type TracingChannel, tracingChannel } from "node:diagnostics_channel";

/**
 * Adds `TracingChannel.hasSubscribers` of Node.js 22, which Bun 1.4 lacks. ioredis reads it before each command: where it is
 * undefined, the arguments are copied and a context is made although nobody listens, at a third of what a command costs.
 */
export const addHasSubscribers = (): void => {
  const prototype: object = Object.getPrototypeOf(tracingChannel("signup-stream"));
  if ("hasSubscribers" in prototype) return;
  Object.defineProperty(prototype, "hasSubscribers", {
    configurable: true,
    get(this: TracingChannel) {
      const { start, end, asyncStart, asyncEnd, error } = this;
      return (
        start.hasSubscribers ||
        end.hasSubscribers ||
        asyncStart.hasSubscribers ||
        asyncEnd.hasSubscribers ||
        error.hasSubscribers
      );
    },
  });
};
