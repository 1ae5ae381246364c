import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { eventually } from "../eventually.ts";
import { createFreezer } from "./frozen.ts";

/** T: stopped. */
const stateOf = (pid: number): string | undefined =>
  /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];

test.if(process.platform === "linux")(
  "a frozen server runs no more, nor do the processes it has made, until it is thawed",
  async () => {
    await using server = Bun.spawn(["sh", "-c", "sleep 60 & echo $!; wait"], { stdio: ["ignore", "pipe", "inherit"] });
    const { value } = await server.stdout.getReader().read();
    const child = Number(new TextDecoder().decode(value));
    const states = () => [server.pid, child].map(stateOf);
    const freezer = createFreezer(() => server.pid);
    freezer?.freeze();
    await eventually(() => states().every((state) => state === "T"));
    freezer?.thaw();
    await eventually(() => states().every((state) => state === "S"));
    process.kill(child);
  },
);

test("outside Linux no server is frozen, and none fails", () => {
  expect(createFreezer(() => process.pid, "darwin")).toBeUndefined();
});
