import { join } from "node:path";

const SCRIPTS = ["signup", "status"] as const;

/** The scripts of the pages, each one file: whoever starts the service builds nothing. */
export const pageScriptFiles = async (): Promise<ReadonlyMap<string, string>> => {
  const files = new Map<string, string>();
  for (const name of SCRIPTS) {
    const built = await Bun.build({
      entrypoints: [join(import.meta.dir, "browser", `${name}.ts`)],
      target: "browser",
      minify: true,
    });
    const [script] = built.outputs;
    if (script === undefined) throw new Error(`there is no script ${name}`);
    files.set(`api/pages/scripts/${name}.min.js`, await script.text());
  }
  return files;
};
