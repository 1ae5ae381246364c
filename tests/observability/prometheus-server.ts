import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { startChild } from "../../local/child.ts";
import { RULES_FILE } from "../../observability/alerts/generate.ts";
import { eventually } from "../eventually.ts";
import { ownPort } from "../own-port.ts";
import { prometheusProgram, quickDirectory } from "./prometheus-program.ts";

const point = z.tuple([z.number(), z.string().transform(Number)]);
const series = z.object({
  metric: z.record(z.string(), z.string()),
  value: point.optional(),
  values: z.array(point).optional(),
});
const answer = z.object({
  status: z.string(),
  error: z.string().optional(),
  data: z.object({ result: z.array(series) }).optional(),
});

/** One line of an answer: its labels, and its points (s, value). */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [number, number])[];
}

/** A real Prometheus that scrapes every second and evaluates our rules. */
export interface PrometheusServer extends AsyncDisposable {
  /** What an expression is now. */
  query(expr: string): Promise<readonly Series[]>;
  /** What it was, each second of the last `seconds`. */
  queryRange(expr: string, seconds: number): Promise<readonly Series[]>;
}

/** Starts it on a port of its own; `targets`: ports of this host, by the job that they belong to. */
export const startPrometheus = async (
  targets: Readonly<Record<string, readonly number[]>>,
): Promise<PrometheusServer> => {
  const directory = mkdtempSync(join(quickDirectory(), "prometheus-"));
  const config = join(directory, "prometheus.yml");
  writeFileSync(
    config,
    stringify({
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: [RULES_FILE],
      scrape_configs: Object.entries(targets).map(([job, ports]) => ({
        job_name: job,
        static_configs: [{ targets: ports.map((port) => `localhost:${port}`) }],
      })),
    }),
  );
  const port = await ownPort();
  const child = startChild({
    command: [
      prometheusProgram("prometheus"),
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    onLine: () => {},
    deathSignal: "TERM",
  });
  const url = `http://127.0.0.1:${port}`;
  const isReady = async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok;
  await eventually(isReady, 20_000);

  const ask = async (path: string, parameters: Readonly<Record<string, string>>): Promise<readonly Series[]> => {
    const response = await fetch(`${url}/api/v1/${path}`, { method: "POST", body: new URLSearchParams(parameters) });
    const { status, error, data } = answer.parse(await response.json());
    if (status !== "success") throw new Error(`${error}: ${parameters["query"]}`);
    return (data?.result ?? []).map(({ metric, value, values }) => ({
      labels: metric,
      points: values ?? (value === undefined ? [] : [value]),
    }));
  };

  return {
    query: (query) => ask("query", { query }),
    queryRange: (query, seconds) => {
      const end = Date.now() / 1_000;
      return ask("query_range", { query, start: String(end - seconds), end: String(end), step: "1" });
    },
    async [Symbol.asyncDispose]() {
      await child.stop("SIGTERM", 5_000);
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
