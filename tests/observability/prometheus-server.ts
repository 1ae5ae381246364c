import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { startChild } from "../../local/child.ts";
import { RULES_FILE } from "../../observability/alerts/generate.ts";
import { eventually } from "../eventually.ts";
import { ownPort } from "../own-port.ts";
import { prometheusProgram, quickDirectory } from "./prometheus-program.ts";

const answer = z.object({
  status: z.string(),
  error: z.string().optional(),
  data: z.object({ result: z.array(z.unknown()) }).optional(),
});

/** A real Prometheus that scrapes every second and evaluates our rules. */
export interface PrometheusServer extends AsyncDisposable {
  /** How many series an expression has now; rejects if Prometheus does not take it. */
  query(expr: string): Promise<number>;
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
  await eventually(isReady);

  return {
    query: async (query) => {
      const response = await fetch(`${url}/api/v1/query`, { method: "POST", body: new URLSearchParams({ query }) });
      const { status, error, data } = answer.parse(await response.json());
      if (status !== "success") throw new Error(`${error}: ${query}`);
      return data?.result.length ?? 0;
    },
    async [Symbol.asyncDispose]() {
      await child.stop("SIGTERM", 5_000);
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
