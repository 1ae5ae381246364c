import { expect, test } from "bun:test";
import { createLogger } from "./logger.ts";

const aLogger = () => {
  const lines: string[] = [];
  const log = createLogger({ level: "debug", service: "test", destination: { write: (line) => lines.push(line) } });
  return { log, lines, last: (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? "{}") };
};

const ADDRESS = "anh.nguyen@inbox.example";
const NAME = "Ánh Nguyễn";

test("a line has level, time, service and the given fields", () => {
  const { log, last } = aLogger();
  log.child({ group: "welcome-email" }).info({ event_id: "0192", attempts: 2, nested: { state: "sent" } }, "tried");
  expect(last()).toMatchObject({
    level: "info",
    service: "test",
    group: "welcome-email",
    event_id: "0192",
    attempts: 2,
    nested: { state: "sent" },
    message: "tried",
  });
});

test("addresses and names never reach the log, wherever they are", () => {
  const { log, lines } = aLogger();
  const body = JSON.stringify({ user_name: NAME, email: ADDRESS, password: "correct horse" });
  const cause = Object.assign(new Error(`Key (user_name_key)=(${NAME}) already exists.`), { code: "23505" });
  log.info({ email: ADDRESS, user_name: NAME, userName: NAME, "User-Name": NAME }, "fields");
  log.info({ a: { b: { c: { d: [{ name: NAME, to: [ADDRESS] }] } } } }, "deep");
  log.info({ a: { b: { c: { d: { e: { f: { g: { h: NAME } } } } } } } }, "too deep");
  log.warn({ error: new Error(`550 5.1.1 <${ADDRESS}>: no such user`, { cause }) }, "error");
  log.warn(new Error(`refused ${ADDRESS}`));
  log.warn({ detail: `Failing row contains (0192, ${NAME}, null).` }, "row");
  log.warn({ body }, `a body was ${body}`);
  log.child({ email: ADDRESS, person: { name: NAME } }).info("child");
  log.info(`sent to "${NAME}" <${ADDRESS}>, to ${ADDRESS}`.replace(`"${NAME}" `, ""));
  log.info("%s and %j", ADDRESS, { email: ADDRESS, name: NAME });
  expect(lines).toHaveLength(10);
  const logged = lines.join("\n");
  expect(logged).not.toContain("inbox.example");
  expect(logged).not.toContain("Nguyễn");
  expect(logged).not.toContain("correct horse");
  expect(logged).toContain("23505");
});

test("an error is logged with its class, code, message and stack", () => {
  const { log, last } = aLogger();
  log.error({ error: Object.assign(new RangeError("too far"), { code: "EFAR" }) }, "failed");
  expect(last()).toMatchObject({ error: { type: "RangeError", code: "EFAR", message: "too far" } });
});

test("on standard output, the lines of one turn are one write, and a process that exits in it loses none", () => {
  const program = `
    const fs = require("node:fs");
    const write = fs.writeSync;
    let writes = 0;
    fs.writeSync = (...args) => { writes += 1; return write(...args); };
    const { createLogger } = await import(${JSON.stringify(`${import.meta.dir}/logger.ts`)});
    const log = createLogger({ level: "info", service: "test" });
    for (let turn = 1; turn <= 2; turn += 1) {
      for (let line = 1; line <= 10; line += 1) log.info({ turn, line }, "line");
      await new Promise((resolve) => setImmediate(resolve));
    }
    log.info({ writes }, "last");
    process.exit(0);`;
  const { stdout, exitCode } = Bun.spawnSync([process.execPath, "-e", program]);
  const lines = stdout.toString().trim().split("\n");
  expect(exitCode).toBe(0);
  expect(lines).toHaveLength(21);
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ message: "last", writes: 2 });
});
