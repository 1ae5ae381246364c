import { expect, test } from "bun:test";
import type { Leader, LeadWish } from "../../stream/scripts/lead.ts";
import { eventually } from "../../tests/eventually.ts";
import { aPipeline, silentLog } from "../../tests/pipeline.ts";
import { type LeadTable, leadTable, startLeading } from "./leading.ts";

const aLeadTable = async (): Promise<LeadTable> => {
  const { redis, keys } = await aPipeline();
  return leadTable(redis, keys, { system: "mail.example:25", group: "group" });
};

const says = (wish: LeadWish["wish"], perSecond = 0): LeadWish => ({ wish, perSecond });

test("who wants one to lead does so once another one heeds it, and hears what all others do", async () => {
  const table = await aLeadTable();
  expect(await table.say("one", says("one", 1.5))).toEqual({ leader: "nobody", othersPerSecond: 0 });
  expect(await table.say("two", says("follow", 0.25))).toEqual({ leader: "nobody", othersPerSecond: 1.5 });
  expect(await table.say("one", says("one", 1.5))).toEqual({ leader: "this", othersPerSecond: 0.25 });
  expect(await table.say("two", says("follow"))).toMatchObject({ leader: "another" });
  expect(await table.say("two", says("one"))).toMatchObject({ leader: "another" });
});

test("who does not want it any more leaves it to the next one", async () => {
  const table = await aLeadTable();
  await table.say("two", says("follow"));
  expect(await table.say("one", says("one"))).toMatchObject({ leader: "this" });
  expect(await table.say("one", says("none"))).toMatchObject({ leader: "nobody" });
  expect(await table.say("two", says("one"))).toMatchObject({ leader: "nobody" });
  await table.say("one", says("follow"));
  expect(await table.say("two", says("one"))).toMatchObject({ leader: "this" });
});

test("once one has led in vain nobody leads", async () => {
  const table = await aLeadTable();
  await table.say("two", says("follow"));
  await table.say("one", says("one"));
  expect(await table.say("one", says("in vain"))).toMatchObject({ leader: "nobody" });
  expect(await table.say("two", says("one"))).toMatchObject({ leader: "nobody" });
  expect(await table.say("one", says("one"))).toMatchObject({ leader: "nobody" });
});

test("another one leads after a leader that says nothing any more, also where Redis' clock was set back since", async () => {
  const { redis, keys } = await aPipeline();
  const table = leadTable(redis, keys, { system: "mail.example:25", group: "group" });
  const [seconds] = await redis.time();
  for (const at of [Number(seconds) - 6, Number(seconds) + 3_600]) {
    await redis.hset(keys.lead("mail.example:25", "group"), "leader", `${at}000 dead`);
    await table.say("two", says("follow"));
    expect(await table.say("one", says("one"))).toMatchObject({ leader: "this" });
    await table.say("one", says("none"));
  }
});

test("a consumer that wants nothing asks for nothing; one that stops leaves the lead", async () => {
  const table = await aLeadTable();
  let wish = says("none");
  let said = 0;
  let heard: Leader["leader"] | undefined;
  const { signal } = new AbortController();
  const counting: LeadTable = {
    say: (...saying) => {
      said += 1;
      return table.say(...saying);
    },
  };
  const lead = { at: "mail.example:25", wish: () => wish, heard: ({ leader }: Leader) => (heard = leader) };
  const leading = startLeading({ table: counting, group: "group", log: silentLog, signal }, { consumer: "one", lead });
  await table.say("two", says("follow"));
  expect(said).toBe(0);
  wish = says("one");
  await eventually(async () => {
    await table.say("two", says("follow"));
    return heard === "this";
  });
  await leading.stop();
  await leading.leave();
  await table.say("three", says("follow"));
  expect(await table.say("two", says("one"))).toMatchObject({ leader: "this" });
});
