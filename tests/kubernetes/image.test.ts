import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { z } from "zod";
import { type Child, startChild } from "../../local/child.ts";
import { asDatabaseRole } from "../../local/postgres.ts";
import { readPackages } from "../../local/supply-chain/packages.ts";
import { randomHex } from "../../observability/trace-context.ts";
import { PROGRAMS, preparedProgram } from "../../runtime/prepared.ts";
import { SETTINGS } from "../../settings/schema.ts";
import { type TestDatabase, withTestDatabase } from "../database.ts";
import { eventually } from "../eventually.ts";
import { type MailServer, startMailServer } from "../mail-server.ts";
import { ownPort } from "../own-port.ts";
import { redisUrl } from "../pipeline.ts";
import { type BuiltImage, buildImage } from "./image/built-image.ts";
import { dockerfile, root, valuesOf } from "./image/dockerfile.ts";
import { innermost, podLike } from "./image/sandbox.ts";
import { overlayObjects } from "./objects.ts";
import { makeRedisUser } from "./redis-users.ts";
import { oursIn } from "./workloads.ts";

const MIB = 1_048_576;
/** What we add to the base image in all; a dev dependency that slips in shows here. */
const MAX_PACKAGES_MIB = 80;

const manifest = z.looseObject({
  packageManager: z.string(),
  scripts: z.record(z.string(), z.string()),
  dependencies: z.record(z.string(), z.string()),
});
const readManifest = () => manifest.parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));

const packagesIn = (directory: string): readonly string[] => {
  const names = (folder: string) =>
    readdirSync(join(directory, "node_modules", folder)).filter((name) => !name.startsWith("."));
  return names(".").flatMap((name) => (name.startsWith("@") ? names(name).map((of) => `${name}/${of}`) : [name]));
};

const dependencyLists = z.looseObject({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
  peerDependencies: z.record(z.string(), z.string()).default({}),
  peerDependenciesMeta: z.record(z.string(), z.unknown()).default({}),
});

/** Packages that these need, and those that they need, as far as they are installed. */
const neededBy = (directory: string, names: readonly string[]): ReadonlySet<string> => {
  const needed = new Set<string>();
  const add = (name: string): void => {
    const file = join(directory, "node_modules", name, "package.json");
    if (needed.has(name) || !existsSync(file)) return;
    needed.add(name);
    const lists = dependencyLists.parse(JSON.parse(readFileSync(file, "utf8")));
    const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = lists;
    for (const list of [dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta]) {
      for (const dependency of Object.keys(list)) add(dependency);
    }
  };
  for (const name of names) add(name);
  return needed;
};

describe("the Dockerfile", () => {
  const stages = dockerfile();
  const final = stages.at(-1) ?? [];

  test("is based on the Bun that the project pins, and on a final stage without a shell", () => {
    const version = readManifest().packageManager.replace("bun@", "");
    const bases = stages.map((stage) => valuesOf(stage, "FROM")[0] ?? "");
    for (const base of bases) expect(base).toStartWith(`oven/bun:${version}`);
    expect(bases.at(-1)).toMatch(/-distroless(@sha256:[0-9a-f]{64})?$/);
    expect(valuesOf(final, "RUN")).toEqual([]);
  });

  test("runs as a user without rights, by number, and as process 1 itself", () => {
    expect(valuesOf(final, "USER")).toEqual(["65532:65532"]);
    expect(valuesOf(final, "STOPSIGNAL")).toEqual(["SIGTERM"]);
    expect(valuesOf(final, "ENTRYPOINT")).toEqual(['["/usr/local/bin/bun"]']);
    expect(valuesOf(final, "CMD")).toEqual(['["api/main.ts"]']);
    expect(valuesOf(final, "ENV").join(" ")).toContain("BUN_RUNTIME_TRANSPILER_CACHE_PATH=0");
    for (const name of ["version", "revision", "source", "created", "licenses", "base.name"]) {
      expect(valuesOf(final, "LABEL").join(" ")).toContain(`org.opencontainers.image.${name}=`);
    }
  });

  test("sets an option of the engine that this Bun knows, as the scripts do: with any other Bun does not start", () => {
    const options = valuesOf(final, "ENV")
      .join(" ")
      .split(" ")
      .filter((pair) => pair.startsWith("BUN_JSC_"));
    expect(options).toEqual(["BUN_JSC_useFTLJIT=0"]);
    const { scripts } = readManifest();
    expect(scripts).toMatchObject({
      api: `${options} bun api/main.ts`,
      consumer: `${options} bun consumers/main.ts`,
    });
    const env = Object.fromEntries(options.map((option) => option.split("=")));
    expect(Bun.spawnSync([process.execPath, "-e", ""], { env }).exitCode).toBe(0);
  });

  test.if(process.platform === "linux")(
    "lets the heap have huge pages where an operator sets the option that docs/performance.md names",
    () => {
      const count = `const smaps = require("node:fs").readFileSync("/proc/self/smaps", "utf8");
      console.log((smaps.match(/^VmFlags:.* hg/gm) ?? []).length);`;
      const heapsWith = (env: Readonly<Record<string, string>>) =>
        Number(Bun.spawnSync([process.execPath, "-e", count], { env }).stdout.toString());
      expect(heapsWith({})).toBe(0);
      expect(heapsWith({ MIMALLOC_ALLOW_THP: "1" })).toBeGreaterThan(0);
    },
  );

  test("names the ports that the settings and the manifests name", () => {
    const ports = [SETTINGS.PORT.fallback, SETTINGS.CONSUMER_HEALTH_PORT.fallback].map(Number);
    const deployed = oursIn(overlayObjects("production")).flatMap(({ pod }) =>
      pod.containers.flatMap((container) => container.ports.map(({ containerPort }) => containerPort)),
    );
    expect(valuesOf(final, "EXPOSE").join(" ").split(" ").map(Number)).toEqual(ports);
    expect([...new Set(deployed)].sort((a, b) => a - b)).toEqual(ports);
  });
});

describe("what the image holds", () => {
  let image: BuiltImage;
  let database: TestDatabase;
  let mailServer: MailServer;
  const admin = new Redis(redisUrl(), { lazyConnect: true });
  const children: Child[] = [];

  beforeAll(async () => {
    image = buildImage();
    database = await withTestDatabase({ migrated: false });
    mailServer = await startMailServer();
  });
  afterAll(async () => {
    await Promise.all(children.map((child) => child.stop("SIGKILL", 1_000)));
    admin.disconnect();
    await mailServer?.close();
    await database?.drop();
    image?.[Symbol.dispose]();
  });

  const asInPod = podLike();

  const run = (args: readonly string[], env: Readonly<Record<string, string>>) => {
    const lines: string[] = [];
    const child = startChild({
      command: [image.bun, ...args],
      asUser: asInPod,
      cwd: image.directory,
      env: { NODE_ENV: "production", BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0", ...env },
      onLine: (line) => lines.push(line),
      deathSignal: "TERM",
    });
    children.push(child);
    return { child, lines, exited: child.exited };
  };

  const megabytesOf = ({ pid }: Child): number =>
    Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${innermost(pid)}/status`, "utf8"))?.[1] ?? 0) / 1024);

  test("is small, has no dev dependency, and no test", () => {
    const packages = packagesIn(image.directory);
    const needed = neededBy(image.directory, Object.keys(readManifest().dependencies));
    expect(packages.filter((name) => !needed.has(name))).toEqual([]);
    expect(packages).toEqual(expect.arrayContaining(Object.keys(readManifest().dependencies)));
    const tests = [...new Bun.Glob("{*,!(node_modules)/**/*}{.test,-for-tests}.{ts,tsx}").scanSync(image.directory)];
    expect(tests).toEqual([]);
    const [ours, theirs] = [image.sourceBytes / MIB, image.packageBytes / MIB];
    console.log(
      `image content: ${ours.toFixed(1)} MiB of ours, ${theirs.toFixed(1)} MiB of ${packages.length} packages`,
    );
    expect(theirs).toBeLessThan(MAX_PACKAGES_MIB);
  });

  test("has nothing that gives rights or a shell, and nothing of a developer's machine", () => {
    const files = [...new Bun.Glob("**").scanSync({ cwd: image.directory, dot: true, onlyFiles: true })];
    expect(files.length).toBeGreaterThan(500);
    const withRights = files.filter((file) => (statSync(join(image.directory, file)).mode & 0o7022) !== 0);
    expect(withRights).toEqual([]);
    const SHELL = /(?:^|\/)(?:(?:ba|da|z|k|fi)?sh|busybox|toybox|curl|wget|nc|perl|python3?|su|sudo)$/;
    const SECRET = /(?:^|\/)(?:\.git\/|\.env|\.npmrc|\.bunfig|id_[a-z0-9]+$)|\.(?:key|p12|pfx|sqlite|rdb)$/;
    expect(files.filter((file) => SHELL.test(file) || SECRET.test(file))).toEqual([]);
    // Added or copied files keep their rights in an image: none of ours may change them.
    expect(
      dockerfile()
        .flat()
        .filter(({ value }) => /--chmod|--chown|\bsetcap\b/.test(value)),
    ).toEqual([]);
  });

  test("is what its bill of materials lists", () => {
    const listed = new Set(
      readPackages(root)
        .filter(({ isProduction }) => isProduction)
        .map(({ name }) => name),
    );
    const held = packagesIn(image.directory);
    expect(held.filter((name) => !listed.has(name))).toEqual([]);
    expect([...listed].filter((name) => !held.includes(name))).toEqual([]);
  });

  test("migrates, waits for that, serves, consumes, and stops when asked", async () => {
    const streamName = `test-${randomHex(6)}`;
    const stores = { DATABASE_URL: database.url, REDIS_URL: redisUrl() };
    // With the rights of its part, and no others.
    const storesOf = async (part: "api" | "consumer") => ({
      DATABASE_URL: asDatabaseRole(database.url, `signup_${part}`),
      REDIS_URL: Object.assign(new URL(redisUrl()), await makeRedisUser(admin, part, streamName)).href,
    });
    const settings = {
      STREAM_NAME: streamName,
      MAIL_SERVER: "127.0.0.1",
      MAIL_PORT: String(mailServer.port),
      MAIL_TLS: "none",
      MAIL_FROM: "welcome@toblug.example",
      PASSWORD_HASH_CONCURRENCY: "2",
    };
    const waiting = run(["k8s/wait-for-schema.ts"], stores);
    await eventually(() => waiting.lines.some((line) => line.includes("waiting for 0001-signups")));
    const migration = run(["database/migrate.ts"], stores);
    expect(await migration.exited, migration.lines.join("\n")).toBe("exit code 0");
    expect(await waiting.exited).toBe("exit code 0");
    const impatient = run(["k8s/wait-for-schema.ts"], { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" });
    await eventually(() => impatient.lines.some((line) => line.includes("does not answer")));
    process.kill(innermost(impatient.child.pid), "SIGTERM");
    expect(await impatient.exited).toBe("exit code 1");

    const [port, healthPort] = [await ownPort(), await ownPort()];
    const api = run(["api/main.ts"], { ...settings, ...(await storesOf("api")), PORT: String(port) });
    const consumer = run(["consumers/main.ts", "--group", "welcome-email"], {
      ...settings,
      ...(await storesOf("consumer")),
      CONSUMER_HEALTH_PORT: String(healthPort),
    });
    for (const [of, process] of [
      [port, api],
      [healthPort, consumer],
    ] as const) {
      await eventually(async () => {
        const answers = ["livez", "readyz"].map((path) =>
          fetch(`http://127.0.0.1:${of}/${path}`).catch(() => undefined),
        );
        return (await Promise.all(answers)).every((answer) => answer?.status === 200);
      }).catch(() => expect(process.lines.join("\n")).toBe("a ready process"));
    }
    const body = { user_name: "linh", email: "linh@inbox.example", password: "correct horse battery" };
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/user/`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(201);
    await eventually(() => mailServer.taken.length === 1);
    console.log(`resident: api ${megabytesOf(api.child)} MiB, consumer ${megabytesOf(consumer.child)} MiB`);

    for (const { child, exited } of [api, consumer]) {
      process.kill(innermost(child.pid), "SIGTERM");
      expect(await exited).toBe("exit code 0");
    }
  });

  test("has the operator's commands", async () => {
    const help = run(["ops/main.ts", "--help"], {});
    expect(await help.exited).toBe("exit code 0");
    expect(help.lines.join("\n")).toContain("ops");
    // Of these very sources: any other would never be looked for.
    for (const program of Object.values(PROGRAMS)) expect(preparedProgram(image.directory, program)).toBeString();
  });
});
