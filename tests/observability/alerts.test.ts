import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { RULES_FILE } from "../../observability/alerts/generate.ts";
import { ALERT_GROUPS } from "../../observability/alerts/rules.ts";
import { LABEL } from "../../observability/dashboards/prometheus-names.ts";
import { ALERT_CASES, type AlertCase } from "./alert-cases.ts";
import { promtool } from "./prometheus-program.ts";

const alerts = ALERT_GROUPS.flatMap(({ rules }) => rules);

/** Every alert is asked about in every case: what is not named has to be silent. */
const unitTest = ({ name, series, at, firing }: AlertCase) => ({
  name,
  interval: "1m",
  input_series: Object.entries(series).map(([each, values]) => ({ series: each, values })),
  promql_expr_test: [
    {
      expr: 'sort_desc(count by (alertname) (ALERTS{alertstate="firing"}))',
      eval_time: `${at}m`,
      exp_samples: firing.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
    },
  ],
});

/** A case of hours is evaluated seldom: each evaluation looks at days. */
const LONG_MINUTES = 60;

const testRules = (document: object): ReturnType<typeof promtool> => {
  const directory = mkdtempSync(join(tmpdir(), "alerts-"));
  const file = join(directory, "cases.yaml");
  writeFileSync(file, stringify({ rule_files: [RULES_FILE], evaluation_interval: "1m", ...document }));
  const result = promtool("test", "rules", file);
  rmSync(directory, { recursive: true });
  return result;
};

describe("alerts", () => {
  test("are rules that Prometheus takes", () => {
    const { exitCode, output } = promtool("check", "rules", RULES_FILE);
    expect(output).toContain(`SUCCESS: ${alerts.length} rules found`);
    expect(exitCode).toBe(0);
  });

  test("burn when they should, and only then", () => {
    const isLong = ({ at }: AlertCase) => at > LONG_MINUTES;
    const short = testRules({ tests: ALERT_CASES.filter((each) => !isLong(each)).map(unitTest) });
    const long = testRules({ evaluation_interval: "10m", tests: ALERT_CASES.filter(isLong).map(unitTest) });
    expect(short.output).toContain("SUCCESS");
    expect(long.output).toContain("SUCCESS");
    expect([short.exitCode, long.exitCode]).toEqual([0, 0]);
  }, 60_000);

  test("each burn in some case", () => {
    const burning = new Set(ALERT_CASES.flatMap(({ firing }) => firing));
    expect(alerts.map(({ alert }) => alert).filter((name) => !burning.has(name))).toEqual([]);
  });

  test("say what is wrong with which group, and where to look", () => {
    const rule = alerts.find(({ alert }) => alert === "SignupDeadLetters");
    const labels = { severity: "ticket", [LABEL.group]: "welcome-email" };
    const { exitCode, output } = testRules({
      tests: [
        {
          interval: "1m",
          input_series: [{ series: `signup_dead{${LABEL.group}="welcome-email"}`, values: "2x20 5x20" }],
          alert_rule_test: [
            {
              eval_time: "25m",
              alertname: "SignupDeadLetters",
              exp_alerts: [
                {
                  exp_labels: labels,
                  exp_annotations: {
                    ...rule?.annotations,
                    summary: "3 new dead letters of welcome-email within 15 minutes",
                    dashboard: "/d/signup-consumer-groups?var-group=welcome-email",
                  },
                },
              ],
            },
          ],
        },
      ],
    });
    expect(output).toContain("SUCCESS");
    expect(exitCode).toBe(0);
  });

  test("each have a paragraph in the runbook that says what to type", () => {
    const runbook = readFileSync(join(import.meta.dir, "..", "..", "observability", "runbook.md"), "utf8");
    for (const { alert, annotations } of alerts) {
      const paragraph = runbook.split("\n## ").find((part) => part.startsWith(`${alert}\n`)) ?? "";
      expect({ alert, paragraph }).toEqual({ alert, paragraph: expect.stringContaining("bun run ops ") });
      expect(annotations.runbook).toBe(`observability/runbook.md#${alert.toLowerCase()}`);
    }
  });
});
