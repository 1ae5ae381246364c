import { expect, test } from "bun:test";
import { NOTICE_EMAIL, WELCOME_EMAIL } from "../../stream/groups.ts";
import { aPipeline } from "../../tests/pipeline.ts";
import { answerOf, deadLetter, GROUP, textOf } from "../operator-for-tests.ts";

const OF_GROUP = ["--group", GROUP];

test("what is dead is retried, then held, released and discarded: each as its preview told", async () => {
  await using pipeline = await aPipeline();
  const [one = "", two = ""] = await deadLetter(pipeline, 2);
  const act = async (action: string, ...words: string[]) => {
    const before = await Promise.all([one, two].map((id) => pipeline.status(id)));
    const preview = await answerOf(pipeline, "deliveries", action, ...words, ...OF_GROUP, "--dry-run");
    expect(await Promise.all([one, two].map((id) => pipeline.status(id)))).toEqual(before);
    const report = await answerOf(pipeline, "deliveries", action, ...words, ...OF_GROUP);
    expect(report).toMatchObject({ json: preview.json, failed: false });
    return report.text((_, text) => text);
  };
  const filter = ["--state", "dead", "--reason", "mailbox_unavailable"];
  expect(await act("retry", ...filter)).toBe(`2 deliveries of ${GROUP}\n  2 are queued for their consumers`);
  expect(await act("hold", one)).toContain("1 is held until an operator releases it");
  expect((await pipeline.status(one))?.state).toBe("held");
  expect(await act("release", "--state", "held")).toContain("1 is queued");
  expect(await act("discard", "--state", "queued")).toContain("2 are discarded");
  expect((await pipeline.status(two))?.reason).toBe("dropped_by_operator");
});

test("what there is not is an error that names what there is, and a faulty selection is wrong usage", async () => {
  await using pipeline = await aPipeline();
  const [id = ""] = await deadLetter(pipeline, 1);
  const run = (...words: string[]) => answerOf(pipeline, "deliveries", ...words);
  await expect(run("retry", "--state", "dead", "--reason", "nosuch", ...OF_GROUP)).rejects.toThrow(
    "mailbox_unavailable",
  );
  await expect(run("retry", "--state", "dead", "--group", "nosuch")).rejects.toThrow(GROUP);
  await expect(run("retry", "--state", "held", ...OF_GROUP)).rejects.toThrow("expected one of dead, suppressed");
  await expect(run("retry", ...OF_GROUP)).rejects.toThrow("--state");
  await expect(run("retry", id, "--state", "dead", ...OF_GROUP)).rejects.toThrow("an event id alone");
  expect(await textOf(pipeline, "deliveries", "retry", Bun.randomUUIDv7(), ...OF_GROUP)).toBe(
    "there is no such delivery",
  );
});

const NOTHING_YET = "Nothing was done; this would become of them:";

test("without a group, every group that has some is named, in the preview and in the answer", async () => {
  await using pipeline = await aPipeline([NOTICE_EMAIL, WELCOME_EMAIL]);
  const [id = ""] = await deadLetter(pipeline, 2);
  const words = ["deliveries", "retry", "--state", "dead"];
  const preview = `2 deliveries of ${GROUP}\n  2 are queued for their consumers`;
  expect(await textOf(pipeline, ...words, "--dry-run")).toBe(`${NOTHING_YET}\n${preview}`);
  await expect(textOf(pipeline, ...words, "--reason", "nosuch")).rejects.toThrow("mailbox_unavailable");
  expect(await textOf(pipeline, ...words)).toBe(preview);
  expect(await textOf(pipeline, ...words)).toBe("there is no such delivery");
  expect(await textOf(pipeline, "deliveries", "hold", id)).toContain(`1 delivery of ${GROUP}`);
});

test("more than a hundred are changed only when that is confirmed", async () => {
  await using pipeline = await aPipeline();
  await deadLetter(pipeline, 101);
  const words = ["deliveries", "discard", "--state", "dead", ...OF_GROUP];
  const refused = await answerOf(pipeline, ...words);
  expect(refused).toMatchObject({ failed: true, json: { reports: [] } });
  expect(refused.text((_, text) => text)).toStartWith(
    `${NOTHING_YET}\n101 deliveries of ${GROUP}\n  101 are discarded`,
  );
  expect(await answerOf(pipeline, ...words, "--yes")).toMatchObject({
    failed: false,
    json: { reports: [{ changed: 101 }] },
  });
});
