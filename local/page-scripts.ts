import { join } from "node:path";

const root = join(import.meta.dir, "..");

/** Each script that a browser runs: its source, in a folder `browser/`, and the folder beside that which has it as it is served. */
const SCRIPTS: readonly (readonly [folder: string, names: readonly string[]])[] = [
  ["api/pages", ["signup", "status"]],
  ["api/console", ["console", "graph", "now"]],
  ["local/inbox", ["inbox"]],
];

const build = async (source: string): Promise<string> => {
  const { outputs } = await Bun.build({
    entrypoints: [join(root, source)],
    target: "browser",
    format: "iife",
    minify: true,
  });
  const [script] = outputs;
  if (script === undefined) throw new Error(`nothing is built of ${source}`);
  return script.text();
};

/** The scripts of all pages, each one file: whoever starts the service builds nothing. */
export const pageScriptFiles = async (): Promise<ReadonlyMap<string, string>> => {
  const files = new Map<string, string>();
  for (const [folder, names] of SCRIPTS) {
    for (const name of names) {
      files.set(`${folder}/scripts/${name}.min.js`, await build(`${folder}/browser/${name}.ts`));
    }
  }
  return files;
};
