import { z } from "zod";
import captured from "./captured.json" with { type: "json" };

/** Messages as Celery 5.2.6 with kombu 5.2.4 wrote them to Redis, by `tests/celery/old_app.py`. */
export const CAPTURED = captured;

const envelope = z.looseObject({
  headers: z.looseObject({ id: z.string(), retries: z.number(), eta: z.string().nullable() }),
});

/** A message like a captured one, with other headers and arguments. */
export const messageLike = (
  text: string,
  {
    args,
    kwargs = {},
    ...headers
  }: {
    readonly id: string;
    readonly retries?: number;
    readonly eta?: string | null;
    readonly args?: readonly unknown[];
    readonly kwargs?: object;
  },
): string => {
  const message = envelope.parse(JSON.parse(text));
  const body = args === undefined ? {} : { body: Buffer.from(JSON.stringify([args, kwargs, {}])).toString("base64") };
  return JSON.stringify({ ...message, ...body, headers: { ...message.headers, ...headers } });
};
