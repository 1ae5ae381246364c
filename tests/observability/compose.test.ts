import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { RULES_FILE } from "../../observability/alerts/generate.ts";
import { loadSettings, type Role } from "../../settings/load.ts";
import { SETTINGS } from "../../settings/schema.ts";

const root = join(import.meta.dir, "..", "..");
const read = (path: string): unknown => parse(readFileSync(join(root, path), "utf8"), { merge: true });

/** The parts of a compose file that are used here; an unknown key is a mistake. */
const service = z.strictObject({
  image: z.string(),
  build: z.string().optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  ports: z.array(z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.string() })).optional(),
  deploy: z.strictObject({ replicas: z.number() }).optional(),
  healthcheck: z
    .strictObject({ test: z.array(z.string()), interval: z.string(), retries: z.number().optional() })
    .optional(),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  stop_grace_period: z.string().optional(),
  restart: z.string().optional(),
});
const composeFile = z.looseObject({
  name: z.string(),
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.strictObject({})),
});

const { services, volumes } = composeFile.parse(read("compose.yaml"));
const own = Object.entries(services).filter(([, { build }]) => build !== undefined);
const mounts = Object.values(services).flatMap((each) =>
  (each.volumes ?? []).map((volume) => {
    const [source = "", target = ""] = volume.split(":");
    return { source, target };
  }),
);
const mountedAt = (target: string) => mounts.find((mount) => mount.target === target)?.source;

describe("compose.yaml", () => {
  test("mounts files that exist, and names images by version", () => {
    const missing = mounts
      .filter(({ source }) =>
        source.startsWith(".") ? !existsSync(join(root, source)) : volumes[source] === undefined,
      )
      .map(({ source }) => source);
    expect(missing).toEqual([]);
    for (const { image, build } of Object.values(services)) {
      if (build === undefined) expect(image).toMatch(/^[\w./-]+:v?\d+\.\d+/);
    }
  });

  test("sets only variables that the settings define, to valid values", () => {
    const roles: Readonly<Record<string, Role>> = { api: "api", consumer: "consumer", migrate: "migrate" };
    expect(own.map(([name]) => name).sort()).toEqual(Object.keys(roles).sort());
    for (const [name, { environment = {} }] of own) {
      const others = Object.keys(environment).filter((variable) => !(variable in SETTINGS));
      expect(others.filter((variable) => !variable.startsWith("OTEL_"))).toEqual([]);
      const filled = Object.entries(environment).map(([variable, value]) => [
        variable,
        value.replace(/\$\{\w+:-(.*)\}/, "$1"),
      ]);
      const role = roles[name];
      if (role !== undefined) expect(() => loadSettings(role, Object.fromEntries(filled))).not.toThrow();
    }
  });

  test("waits for services that exist, and reaches them by their names", () => {
    for (const { depends_on = {}, environment = {} } of Object.values(services)) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        const isProbed = services[name]?.healthcheck !== undefined;
        expect(condition).toBe(isProbed ? "service_healthy" : "service_completed_successfully");
      }
      const hosts = ["DATABASE_URL", "REDIS_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"].flatMap((variable) => {
        const url = environment[variable];
        return url === undefined ? [] : [new URL(url).hostname];
      });
      for (const host of [...hosts, ...(environment["MAIL_SERVER"] ? [environment["MAIL_SERVER"]] : [])]) {
        expect(Object.keys(services)).toContain(host);
      }
    }
  });

  test("starts files that the image contains", () => {
    const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8");
    for (const [, { command = [] }] of own) {
      for (const file of command) {
        expect(existsSync(join(root, file))).toBe(true);
        expect(dockerfile).toContain(`COPY ${file.split("/")[0]} `);
      }
    }
  });

  test("persists Redis, and publishes ports on this machine only", () => {
    const command = services["redis"]?.command?.join(" ") ?? "";
    expect(command).toContain("--appendonly yes");
    expect(command).toContain("--maxmemory-policy noeviction");
    for (const { ports = [] } of Object.values(services)) {
      for (const port of ports) expect(port).toStartWith("127.0.0.1:");
    }
  });
});

describe("the configuration of grafana/otel-lgtm", () => {
  test("points Grafana to the dashboards and Prometheus to the alerts", () => {
    const provider = z
      .object({ providers: z.array(z.object({ options: z.object({ path: z.string() }) })) })
      .parse(read("observability/collector/dashboards.yaml"));
    for (const { options } of provider.providers) expect(mountedAt(options.path)).toBe("./observability/dashboards");
    const { rule_files: files } = z
      .object({ rule_files: z.array(z.string()) })
      .parse(read("observability/collector/prometheus.yaml"));
    expect(files).toEqual([`/otel-lgtm/rules/${basename(RULES_FILE)}`]);
    expect(mountedAt("/otel-lgtm/rules")).toBe("./observability/alerts");
    const home = services["telemetry"]?.environment?.["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] ?? "";
    expect(existsSync(join(root, "observability/dashboards", basename(home)))).toBe(true);
  });

  test("pairs a producer with its consumer even when an entry waits for minutes", () => {
    const graphs = z.object({ wait: z.string(), enable_messaging_system_latency_histogram: z.boolean() });
    const tempo = z
      .object({ metrics_generator: z.object({ processor: z.object({ service_graphs: graphs }) }) })
      .parse(read("observability/collector/tempo.yaml"));
    expect(tempo.metrics_generator.processor.service_graphs).toEqual({
      wait: "5m",
      enable_messaging_system_latency_histogram: true,
    });
  });
});
