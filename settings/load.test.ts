import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environmentExample, settingsTable, withSettingsTable } from "./document.ts";
import { BadSettings, loadSettings, requireReceiver, requireSettings } from "./load.ts";
import { SETTINGS } from "./schema.ts";
import { requiredOfReceiver } from "./webhooks.ts";

const api = { DATABASE_URL: "postgres://app@db.example/signup", REDIS_URL: "redis://redis.example" };
const consumer = { ...api, MAIL_SERVER: "smtp.example", MAIL_FROM: "welcome@toblug.example" };

const faultsOf = (action: () => unknown): readonly string[] => {
  try {
    action();
  } catch (error) {
    if (error instanceof BadSettings) return error.faults;
    throw error;
  }
  return [];
};

describe("settings", () => {
  test("have their defaults", () => {
    expect(loadSettings("consumer", consumer)).toMatchObject({
      PORT: 3_000,
      MAIL_TLS: "starttls",
      MAIL_POOL_SIZE: 20,
      CLAIM_MIN_IDLE_MS: 10_000,
      RETRY_DELAY_MS: 30_000,
      MAIL_EXPIRE_AFTER_MS: 72 * 3_600_000,
      STREAM_RETENTION_MS: 24 * 3_600_000,
      LEDGER_RETENTION_MS: 0,
    });
  });

  test("all faults are in one message, each with its variable, its problem and an example", () => {
    const environment = { ...api, PORT: "http", MAIL_PORT: "0", MAIL_TLS: "maybe", CLAIM_MIN_IDLE_MS: "999" };
    const faults = faultsOf(() => loadSettings("api", environment));
    expect(faults).toHaveLength(4);
    expect(faults[0]).toBe('PORT: "http" is not usable: expected a whole number from 0 to 65535; for example 3000');
    for (const name of ["PORT", "MAIL_PORT", "MAIL_TLS", "CLAIM_MIN_IDLE_MS"]) {
      expect(faults.some((fault) => fault.startsWith(`${name}: `) && fault.includes("for example"))).toBe(true);
    }
  });

  test("each role requires only its own", () => {
    expect(faultsOf(() => loadSettings("migrate", { DATABASE_URL: api.DATABASE_URL }))).toEqual([]);
    expect(faultsOf(() => loadSettings("api", api))).toEqual([]);
    const namesOf = (faults: readonly string[]) => faults.map((fault) => fault.split(":")[0]);
    expect(namesOf(faultsOf(() => loadSettings("consumer", {})))).toEqual(["DATABASE_URL", "REDIS_URL"]);
    const mail = ["MAIL_SERVER", "MAIL_FROM"] as const;
    const missing = faultsOf(() => loadSettings("consumer", {}, mail));
    expect(namesOf(missing)).toEqual(["DATABASE_URL", "REDIS_URL", ...mail]);
    expect(namesOf(faultsOf(() => requireSettings(loadSettings("consumer", api), mail)))).toEqual([...mail]);
  });

  test("the limits that operators rely on are legal; unknown and empty variables are ignored", () => {
    const environment = {
      ...consumer,
      PASSWORD_HASH_MEMORY_KIB: "8",
      PASSWORD_HASH_PASSES: "1",
      CLAIM_MIN_IDLE_MS: "1000",
      CONSUMER_CONCURRENCY: "7",
      SOMETHING_ELSE: "whatever",
      MAIL_USERNAME: "",
    };
    expect(loadSettings("consumer", environment)).toMatchObject({ PASSWORD_HASH_MEMORY_KIB: 8, MAIL_POOL_SIZE: 7 });
  });

  test.each(["smtp.example", "192.0.2.1", "2001:db8::1", "::1"])("%s may be the mail server", (MAIL_SERVER) => {
    expect(faultsOf(() => loadSettings("consumer", { ...consumer, MAIL_SERVER }))).toEqual([]);
  });

  test.each(["smtp.example:587", "192.0.2.1:25", "smtp://smtp.example"])("%s is no mail server", (MAIL_SERVER) => {
    const [fault = ""] = faultsOf(() => loadSettings("consumer", { ...consumer, MAIL_SERVER }));
    expect(fault).toContain("without a port: that is MAIL_PORT");
  });

  test("user name and password of the mail server come together or not at all", () => {
    expect(faultsOf(() => loadSettings("api", { ...api, MAIL_USERNAME: "welcome" }))).toHaveLength(1);
  });

  test("a secret is never shown, and may come from a file", () => {
    const faults = faultsOf(() => loadSettings("api", { ...api, DATABASE_URL: "mysql://root:hunter2@db" }));
    expect(faults.join()).not.toContain("hunter2");
    const directory = mkdtempSync(join(tmpdir(), "settings-"));
    const file = join(directory, "token");
    writeFileSync(file, "a-token-from-a-file-0123\n");
    expect(loadSettings("api", { ...api, SERVICE_TOKEN_FILE: file }).SERVICE_TOKEN).toBe("a-token-from-a-file-0123");
    expect(faultsOf(() => loadSettings("api", { ...api, SERVICE_TOKEN_FILE: join(directory, "none") }))[0]).toContain(
      "cannot be read (ENOENT)",
    );
    rmSync(directory, { recursive: true });
  });

  describe("of receivers of webhooks", () => {
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const crm = { ...api, WEBHOOKS: "crm", WEBHOOK_CRM_URL: "https://crm.example/hook", WEBHOOK_CRM_SECRET: secret };

    test("have their defaults, and are read by name", () => {
      const receivers = [
        {
          name: "crm",
          events: ["user.#"],
          contentType: "application/json",
          url: crm.WEBHOOK_CRM_URL,
          secrets: [secret],
        },
        { name: "audit-log", events: ["#", "user.*"], contentType: "application/cloudevents+json" },
      ] as const;
      const audit = {
        WEBHOOK_AUDIT_LOG_EVENTS: "#,user.*",
        WEBHOOK_AUDIT_LOG_CONTENT_TYPE: "application/cloudevents+json",
      };
      const settings = loadSettings("api", { ...crm, ...audit, WEBHOOKS: "crm, audit-log" });
      expect(settings.receivers).toEqual([...receivers]);
      expect(loadSettings("api", api).receivers).toEqual([]);
    });

    test("without URL and secret: both are named at once, where they are required", () => {
      const [url, ofSecret] = faultsOf(() =>
        loadSettings("consumer", { ...api, WEBHOOKS: "crm" }, (receivers) =>
          receivers.flatMap(({ name }) => requiredOfReceiver(name)),
        ),
      );
      expect(url).toBe("WEBHOOK_CRM_URL: not set; expected for example https://crm.example/hooks");
      expect(ofSecret).toStartWith("WEBHOOK_CRM_SECRET: not set; expected for example whsec_");
      const [receiver] = loadSettings("ops", { ...api, WEBHOOKS: "crm" }).receivers;
      expect(faultsOf(() => receiver && requireReceiver(receiver))).toHaveLength(2);
    });

    test.each([
      ["WEBHOOKS", "CRM"],
      ["WEBHOOKS", "crm,-audit"],
      ["WEBHOOKS", "crm,crm"],
      ["WEBHOOKS", "a".repeat(25)],
      ["WEBHOOK_CRM_URL", "ftp://crm.example"],
      ["WEBHOOK_CRM_URL", "http://crm.example"],
      ["WEBHOOK_CRM_URL", "https://me:hunter2@crm.example"],
      ["WEBHOOK_CRM_SECRET", "hunter2"],
      ["WEBHOOK_CRM_SECRET", "whsec_c2hvcnQ="],
      ["WEBHOOK_CRM_SECRET", `${secret} ${secret} ${secret}`],
      ["WEBHOOK_CRM_EVENTS", "user signed up!"],
      ["WEBHOOK_CRM_CONTENT_TYPE", "text/xml"],
      ["WEBHOOK_ALLOW_PRIVATE", "yes"],
    ])("%s cannot be %p", (name, value) => {
      const faults = faultsOf(() => loadSettings("api", { ...crm, [name]: value }));
      expect(faults).toHaveLength(1);
      expect(faults[0]).toStartWith(`${name}: `);
      if (name === "WEBHOOK_CRM_SECRET") expect(faults[0]).not.toContain("hunter2");
    });

    test("may be at http:// where private addresses are allowed, and have two secrets", () => {
      const environment = { ...crm, WEBHOOK_CRM_URL: "http://127.0.0.1:8080", WEBHOOK_ALLOW_PRIVATE: "true" };
      const [receiver] = loadSettings("api", { ...environment, WEBHOOK_CRM_SECRET: `${secret} ${secret}` }).receivers;
      expect(receiver).toMatchObject({ url: "http://127.0.0.1:8080", secrets: [secret, secret] });
    });
  });

  for (const [role, file] of [
    ["api", "api/main.ts"],
    ["consumer", "consumers/main.ts"],
    ["migrate", "database/migrate.ts"],
  ] as const) {
    test(`${role} exits 78 on a bad setting, also one that it does not use`, () => {
      const env = { PATH: process.env["PATH"] ?? "", ...consumer, MAIL_PORT: "none" };
      const result = Bun.spawnSync([process.execPath, file], { env, stderr: "pipe", stdout: "pipe" });
      expect(result.exitCode).toBe(78);
      expect(result.stderr.toString()).toContain("MAIL_PORT");
    });
  }
});

describe("the documents agree with the schema", () => {
  const read = (name: string) => readFileSync(join(import.meta.dir, "..", name), "utf8");

  test("the table in docs/settings.md has every setting (bun run generate)", () => {
    expect(withSettingsTable(read("docs/settings.md"))).toBe(read("docs/settings.md"));
    for (const name of Object.keys(SETTINGS)) expect(settingsTable()).toContain(`\`${name}\``);
  });

  test(".env.example is made from it, and is usable as it stands", () => {
    expect(read(".env.example")).toBe(environmentExample());
    const lines = environmentExample()
      .split("\n")
      .filter((line) => /^[A-Z]/.test(line));
    const environment = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
    expect(faultsOf(() => loadSettings("consumer", environment))).toEqual([]);
  });
});
