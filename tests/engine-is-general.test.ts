import { expect, test } from "bun:test";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
/** Words of one group's work: as words, or as parts of a name. */
const FOREIGN = /mail|user|smtp|template/i;
/** What names the groups, the events that there are, and the users of Redis. */
const isCatalogue = (file: string) => /^stream\/(groups|acl|events\/(types|user-[^/]+))\.ts$/.test(file);

const sources = async (folder: string): Promise<readonly string[]> =>
  (await Array.fromAsync(new Bun.Glob("**/*").scan({ cwd: join(root, folder) })))
    .map((file) => `${folder}/${file}`)
    .filter((file) => !file.endsWith(".test.ts"));

const mentions = async (files: readonly string[]): Promise<readonly string[]> => {
  const found = files.map(async (file) => {
    const lines = (await Bun.file(join(root, file)).text()).split("\n");
    const named = FOREIGN.test(file) ? [file] : [];
    return [
      ...named,
      ...lines.flatMap((line, at) => (FOREIGN.test(line) ? [`${file}:${at + 1}: ${line.trim()}`] : [])),
    ];
  });
  return (await Promise.all(found)).flat();
};

test("engine and stream mention no mail, no user, no SMTP and no template", async () => {
  const files = [...(await sources("consumers/engine")), ...(await sources("stream"))];
  expect(files.length).toBeGreaterThan(50);
  expect(await mentions(files.filter((file) => !isCatalogue(file)))).toEqual([]);
  // The search itself works: the catalogue names what is searched for.
  expect(await mentions(files.filter(isCatalogue))).not.toEqual([]);
});
