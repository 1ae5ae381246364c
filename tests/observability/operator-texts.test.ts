import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ALERT_GROUPS } from "../../observability/alerts/rules.ts";
import { DASHBOARDS } from "../../observability/dashboards/frame.ts";
import { prometheusNames } from "../../observability/dashboards/prometheus-names.ts";
import * as metricNames from "../../observability/metric-names.ts";
import description from "../../package.json" with { type: "json" };
import { SETTINGS } from "../../settings/schema.ts";
import { GROUPS } from "../../stream/groups.ts";
import { OVERLAYS, overlayObjects, selects } from "../kubernetes/objects.ts";
import { oursIn } from "../kubernetes/workloads.ts";
import { faultOf, opsWords, readOperatorText } from "./operator-texts.ts";
import { dashboards } from "./queries.ts";

const root = join(import.meta.dir, "..", "..");
const runbook = readOperatorText("observability/runbook.md");
const texts = [runbook, readOperatorText("docs/kubernetes.md")];

const objects = OVERLAYS.flatMap((overlay) => [...overlayObjects(overlay)]);

/** What kubectl's short names stand for. */
const KINDS: Readonly<Record<string, string>> = {
  deploy: "Deployment",
  deployment: "Deployment",
  service: "Service",
  statefulset: "StatefulSet",
  scaledobject: "ScaledObject",
};
const KIND_AND_NAME = new RegExp(`\\b(${Object.keys(KINDS).join("|")})[/ ]([a-z][\\w-]*(?:<group>)?)`, "g");
const namesOf = (kind: string): readonly string[] =>
  kind === "Pod"
    ? namesOf("StatefulSet").map((name) => `${name}-0`)
    : objects.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name);

/** `deploy/api`, `scaledobject consumer-<group>`, `exec postgres-0` -> kind and name of each object that a command names. */
const objectsNamedIn = (command: string) => {
  const named = [...command.matchAll(KIND_AND_NAME)].map(([, kind = "", name = ""]) => ({
    kind: KINDS[kind] ?? "",
    name,
  }));
  const pods = [...command.matchAll(/ exec (?:-i )?([a-z][\w-]*) --/g)].map(([, name = ""]) => ({ kind: "Pod", name }));
  return [...named, ...pods].flatMap(({ kind, name }) =>
    name.endsWith("<group>")
      ? GROUPS.map((group) => ({ kind, name: name.replace("<group>", group.name) }))
      : [{ kind, name }],
  );
};

/** `-l a=b`, `-l 'a in (b, c)'` -> the labels of which each has to select something. */
const labelsSelectedIn = (command: string) => {
  const [, label = "", one, some] = / -l '?([\w./-]+)(?:=([\w-]+)| in \(([^)]*)\))/.exec(command) ?? [];
  return [...(one === undefined ? [] : [one]), ...(some ?? "").split(/, */)]
    .filter((value) => value !== "")
    .map((value) => ({ [label]: value }));
};

describe.each(texts.map((text) => [text.path, text] as const))("%s", (_, { prose, code, commands }) => {
  test("contains only commands of ours that exist, with valid options", async () => {
    const lines = commands.map(opsWords).filter((words) => words !== undefined);
    const checked = await Promise.all(lines.map(async (words) => [words.join(" "), await faultOf(words)]));
    expect(checked.filter(([, fault]) => fault !== undefined)).toEqual([]);
    const scripts = commands.flatMap((command) => /^bun run ([\w-]+)/.exec(command)?.[1] ?? []);
    expect(scripts.filter((script) => !(script in description.scripts))).toEqual([]);
    const files = commands.flatMap((command) => /\bbun ([\w/-]+\.ts)/.exec(command)?.[1] ?? []);
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    expect(lines.length + scripts.length).toBeGreaterThan(0);
  });

  test("refers in kubectl only to objects that are deployed", () => {
    const ours = commands.filter((command) => command.includes("-n signup"));
    expect(ours.length).toBeGreaterThan(0);
    const named = ours.flatMap(objectsNamedIn);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter(({ kind, name }) => !namesOf(kind).includes(name))).toEqual([]);
    const selected = ours.flatMap(labelsSelectedIn);
    expect(selected.filter((labels) => !oursIn(objects).some((workload) => selects(labels, workload.labels)))).toEqual(
      [],
    );
  });

  test("names only alerts, dashboards and metrics that exist", () => {
    const alerts = ALERT_GROUPS.flatMap(({ rules }) => rules.map(({ alert }) => alert));
    const namedAlerts = [...prose.matchAll(/\bSignup[A-Z]\w+/g)].map(([name]) => name);
    expect(namedAlerts.filter((name) => !alerts.includes(name))).toEqual([]);

    const uids = Object.values(DASHBOARDS).map(({ uid }) => `/d/${uid}`);
    expect(code.filter((inline) => inline.startsWith("/d/") && !uids.some((uid) => uid === inline))).toEqual([]);

    const metrics = new Set<string>([...Object.values(metricNames), ...prometheusNames()]);
    const namedMetrics = code.filter((inline) => /^(signup|mail|messaging|http|db)[._](?!yaml$)[\w.]+$/.test(inline));
    expect(namedMetrics.filter((name) => !metrics.has(name))).toEqual([]);
  });

  test("names only settings that exist", () => {
    const telemetry = ["sdk.ts", "metric-readers.ts", "requested-signals.ts"]
      .map((file) => readFileSync(join(root, "observability", file), "utf8"))
      .join("\n");
    const known = [...Object.keys(SETTINGS), ...(telemetry.match(/\bOTEL_[A-Z_]+/g) ?? [])];
    const named = [...prose.matchAll(/\b[A-Z]+(?:_[A-Z]+)+(?:_\*)?/g)].map(([name]) => name);
    const isKnown = (name: string) =>
      name.endsWith("_*") ? known.some((setting) => setting.startsWith(name.slice(0, -1))) : known.includes(name);
    expect(named.filter((name) => !isKnown(name))).toEqual([]);
  });
});

describe("the runbook", () => {
  const sections = new Map(
    runbook.prose
      .split(/^## /m)
      .slice(1)
      .map((section) => {
        const [heading = "", ...paragraphs] = section.split("\n");
        return [heading.trim(), paragraphs.join("\n")] as const;
      }),
  );

  test("has a section for each alert and no other, and each says what to type", () => {
    const rules = ALERT_GROUPS.flatMap((group) => group.rules);
    expect([...sections.keys()]).toEqual(rules.map(({ alert }) => alert));
    for (const { alert, annotations } of rules) {
      expect({ alert, section: sections.get(alert) }).toEqual({
        alert,
        section: expect.stringContaining("bun run ops "),
      });
      expect(annotations.runbook).toBe(`observability/runbook.md#${alert.toLowerCase()}`);
    }
  });

  test("quotes only panels of the dashboard that it names before them", () => {
    const titles = new Map(dashboards().map(({ title, panels }) => [title, panels.map((panel) => panel.title)]));
    const quotes = [...sections].flatMap(([alert, section]) => {
      let dashboard: string | undefined;
      return [...section.matchAll(/(?<!\*)\*([^*]+)\*(?!\*)|"([^"]+)"/g)].flatMap(([, italic, panel]) => {
        dashboard = italic ?? dashboard;
        return [{ alert, dashboard: dashboard ?? "none", panel }];
      });
    });
    expect(quotes.length).toBeGreaterThan(15);
    const wrong = quotes.filter(({ dashboard, panel }) => {
      const panels = titles.get(dashboard);
      return panels === undefined || (panel !== undefined && !panels.includes(panel));
    });
    expect(wrong).toEqual([]);
  });

  test("says where the dashboards are", () => {
    for (const { uid, title } of Object.values(DASHBOARDS)) {
      expect(runbook.prose).toContain(`*${title}* (\`/d/${uid}\`)`);
    }
  });

  test("names reasons of dead letters and of retries as the code does", async () => {
    const literals = new Set<string>();
    for (const file of new Bun.Glob("{consumers,database,stream}/**/*.ts").scanSync({ cwd: root })) {
      if (file.includes(".test.")) continue;
      for (const [, literal = ""] of readFileSync(join(root, file), "utf8").matchAll(/"([a-z_]+)"/g))
        literals.add(literal);
    }
    const inOptions = runbook.commands.flatMap((command) => /--reason (\w+)/.exec(command)?.[1] ?? []);
    const reasons = [...inOptions, ...runbook.code.filter((inline) => /^[a-z]+(_[a-z]+)+$/.test(inline))];
    expect(reasons.length).toBeGreaterThan(3);
    expect(reasons.filter((reason) => !literals.has(reason))).toEqual([]);
  });
});
