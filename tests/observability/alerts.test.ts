import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { RULES_FILE } from "../../observability/alerts/generate.ts";
import { ALERT_GROUPS } from "../../observability/alerts/rules.ts";
import { LABEL } from "../../observability/dashboards/prometheus-names.ts";
import { ALERT_CASES, type AlertCase } from "./alert-cases.ts";
import { promtool } from "./prometheus-program.ts";

const alerts = ALERT_GROUPS.flatMap(({ rules }) => rules);

/** Every alert is evaluated in every case: those that are not named have to be silent. */
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

/** Cases of hours are evaluated less often: each evaluation reads days of samples. */
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

  const isLong = ({ at }: AlertCase) => at > LONG_MINUTES;

  // promtool needs tens of seconds for them where others compute, too.
  test.each([
    ["an hour", { tests: ALERT_CASES.filter((each) => !isLong(each)).map(unitTest) }],
    ["days", { evaluation_interval: "10m", tests: ALERT_CASES.filter(isLong).map(unitTest) }],
  ])(
    "fire when they should, and only then: cases of up to %s",
    (_, document) => {
      const { exitCode, output } = testRules(document);
      expect(output).toContain("SUCCESS");
      expect(exitCode).toBe(0);
    },
    180_000,
  );

  test("each fire in some case", () => {
    const firing = new Set(ALERT_CASES.flatMap(({ firing }) => firing));
    expect(alerts.map(({ alert }) => alert).filter((name) => !firing.has(name))).toEqual([]);
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
});
