import { z } from "zod";

/** A span as it came over the wire, its attributes by name. */
export interface ReceivedSpan {
  readonly name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  /** '' for a root. */
  readonly parentSpanId: string;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly isError: boolean;
  /** Of the resource. */
  readonly service: string;
}

/** One point of a metric. `value`: the gauge's or the sum's; of a histogram the number of recordings. */
export interface ReceivedPoint {
  readonly metric: string;
  readonly value: number;
  /** Of a histogram. */
  readonly sum: number | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly service: string;
  readonly instance: string;
}

export interface OtlpReceiver extends AsyncDisposable {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  readonly points: ReceivedPoint[];
  readonly resources: Readonly<Record<string, unknown>>[];
  /** Content types of the requests so far, by path. */
  readonly contentTypes: readonly { readonly path: string; readonly type: string }[];
  /** All that was received, as text: for what must not be in it. */
  readonly bodies: readonly string[];
}

const value = z.looseObject({});
const attribute = z.object({ key: z.string(), value });
const resource = z.object({ attributes: z.array(attribute).default([]) });
const spanSchema = z.object({
  name: z.string(),
  kind: z.number(),
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().default(""),
  links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
  attributes: z.array(attribute).default([]),
  status: z.object({ code: z.number().default(0) }).default({ code: 0 }),
});
const tracesSchema = z.object({
  resourceSpans: z.array(
    z.object({ resource, scopeSpans: z.array(z.object({ spans: z.array(spanSchema).default([]) })) }),
  ),
});
const pointSchema = z.object({
  asInt: z.coerce.number().optional(),
  asDouble: z.number().optional(),
  count: z.coerce.number().optional(),
  sum: z.number().optional(),
  attributes: z.array(attribute).default([]),
});
const dataSchema = z.object({ dataPoints: z.array(pointSchema).default([]) });
const metricsSchema = z.object({
  resourceMetrics: z.array(
    z.object({
      resource,
      scopeMetrics: z.array(
        z.object({
          metrics: z.array(
            z.object({
              name: z.string(),
              gauge: dataSchema.optional(),
              sum: dataSchema.optional(),
              histogram: dataSchema.optional(),
            }),
          ),
        }),
      ),
    }),
  ),
});

/** `{stringValue: "x"}`, `{intValue: 1}`, ... -> the value. */
const attributesOf = (list: readonly z.infer<typeof attribute>[]): Record<string, unknown> =>
  Object.fromEntries(list.map(({ key, value: wrapped }) => [key, Object.values(wrapped)[0]]));

const readSpans = (body: string): readonly ReceivedSpan[] =>
  tracesSchema.parse(JSON.parse(body)).resourceSpans.flatMap(({ resource: of, scopeSpans }) => {
    const service = String(attributesOf(of.attributes)["service.name"]);
    return scopeSpans.flatMap(({ spans }) =>
      spans.map(({ attributes, status, ...span }) => ({
        ...span,
        attributes: attributesOf(attributes),
        isError: status.code === 2,
        service,
      })),
    );
  });

const readPoints = (body: string): readonly ReceivedPoint[] =>
  metricsSchema.parse(JSON.parse(body)).resourceMetrics.flatMap(({ resource: of, scopeMetrics }) => {
    const { "service.name": service, "service.instance.id": instance } = attributesOf(of.attributes);
    return scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap(
        ({ name, gauge, sum, histogram }) =>
          (gauge ?? sum ?? histogram)?.dataPoints.map((point) => ({
            metric: name,
            value: point.asInt ?? point.asDouble ?? point.count ?? 0,
            sum: point.sum,
            attributes: attributesOf(point.attributes),
            service: String(service),
            instance: String(instance),
          })) ?? [],
      ),
    );
  });

const readResources = (body: string): Record<string, unknown>[] => {
  const parsed = z.object({ resourceSpans: z.array(z.object({ resource })).default([]) }).parse(JSON.parse(body));
  return parsed.resourceSpans.map(({ resource: of }) => attributesOf(of.attributes));
};

/** An OTLP/HTTP receiver (https://opentelemetry.io/docs/specs/otlp/, 1.x). Reads `http/json`; takes, unread, `http/protobuf`. */
export const startOtlpReceiver = (): OtlpReceiver => {
  const spans: ReceivedSpan[] = [];
  const points: ReceivedPoint[] = [];
  const resources: Record<string, unknown>[] = [];
  const contentTypes: { path: string; type: string }[] = [];
  const bodies: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { pathname: path } = new URL(request.url);
      const type = request.headers.get("content-type") ?? "";
      contentTypes.push({ path, type });
      const bytes = Buffer.from(await request.arrayBuffer());
      const isGzip = request.headers.get("content-encoding") === "gzip";
      const body = Buffer.from(isGzip ? Bun.gunzipSync(bytes) : bytes).toString("utf8");
      bodies.push(body);
      if (type !== "application/json") return new Response(null, { headers: { "Content-Type": type } });
      if (path === "/v1/traces") {
        spans.push(...readSpans(body));
        resources.push(...readResources(body));
      }
      if (path === "/v1/metrics") points.push(...readPoints(body));
      return Response.json({ partialSuccess: {} });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    spans,
    points,
    resources,
    contentTypes,
    bodies,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
};
