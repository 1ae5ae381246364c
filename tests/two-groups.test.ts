import { describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { aSystem, type RunningProcess, type System, signUpAt, WITH_EXAMPLE } from "./processes.ts";

interface TwoGroups extends System {
  /** Ids of the events that the example's group has worked on, each as often as it was. */
  work(): Promise<readonly string[]>;
}

/** A system with the welcome mail's group and the example's, which appends to a file of the test's own. */
const twoGroups = async (settings: Readonly<Record<string, string>> = {}): Promise<TwoGroups> => {
  const folder = await mkdtemp(join(tmpdir(), "example-work-"));
  const file = join(folder, "work");
  const system = await aSystem({ entryPoints: WITH_EXAMPLE, settings: { ...settings, EXAMPLE_WORK_FILE: file } });
  return {
    ...system,
    work: async () => (await readFile(file, "utf8").catch(() => "")).split("\n").filter((line) => line !== ""),
    [Symbol.asyncDispose]: async () => {
      await system[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
};

const SIGNUPS = 100;

const signUp = async (api: RunningProcess, count = SIGNUPS): Promise<readonly string[]> => {
  const signups = await Promise.all(Array.from({ length: count }, () => signUpAt(api)));
  expect(signups.every(({ status }) => status === 201)).toBe(true);
  return signups.map(({ eventId }) => eventId);
};

const allMailed = ({ mailServer }: System, eventIds: readonly string[]) =>
  eventually(() => eventIds.every((eventId) => mailServer.copiesOf(eventId) > 0), 20_000);

const allWorked = (system: TwoGroups, eventIds: readonly string[]) =>
  eventually(async () => {
    const work = new Set(await system.work());
    return eventIds.every((eventId) => work.has(eventId));
  }, 20_000);

describe("two groups on one event", () => {
  test("100 signups are 100 mails and 100 of the other group's work", async () => {
    await using system = await twoGroups();
    const api = await system.api();
    await system.consumer();
    const eventIds = await signUp(api);
    await allMailed(system, eventIds);
    await allWorked(system, eventIds);
    expect(system.mailServer.taken).toHaveLength(SIGNUPS);
    expect([...(await system.work())].sort()).toEqual([...eventIds].sort());
  });
});
