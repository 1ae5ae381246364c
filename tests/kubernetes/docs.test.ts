import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { k8s, overlayObjects } from "./objects.ts";
import { oursIn } from "./workloads.ts";

const root = join(k8s, "..");
const text = readFileSync(join(root, "docs", "kubernetes.md"), "utf8");
const shell = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");

test("each path that docs/kubernetes.md names exists", () => {
  const paths = [...text.matchAll(/\b(?:k8s|docs|tests|settings|stream|observability)\/[\w./-]*\w/g)].map(
    ([path]) => path,
  );
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

const keysMadeBy = (line: string): readonly string[] =>
  [...line.matchAll(/--from-literal=(\w+)=/g)].map(([, key = ""]) => key);

test("the Secrets of KEDA in docs/redis.md have the keys that each topology asks for", () => {
  const lines = readFileSync(join(root, "docs", "redis.md"), "utf8").match(
    /^kubectl .*secret generic signup-keda .*$/gm,
  );
  const made = (lines ?? []).map(keysMadeBy);
  const asked = ["sentinel", "cluster"].map((kind) => {
    const component = readFileSync(join(k8s, "components", `keda-redis-${kind}`, "kustomization.yaml"), "utf8");
    const added = [...component.matchAll(/parameter: (\w+)/g)].map(([, parameter = ""]) => parameter);
    return ["username", "password", "tls", ...added].sort();
  });
  expect(made.map((keys) => [...keys].sort())).toEqual(asked);
});

test("the Secrets that it creates have every key that the manifests reference", () => {
  const made = shell
    .flatMap((block) => block.split("\n"))
    .flatMap((line) => {
      const name = /create secret generic (\S+)/.exec(line)?.[1];
      return keysMadeBy(line).map((key) => `${name}/${key}`);
    });
  const asked = oursIn(overlayObjects("production")).flatMap(({ containers }) =>
    containers.flatMap(({ env }) =>
      env.flatMap(({ valueFrom }) => {
        const secret = valueFrom?.secretKeyRef;
        return secret === undefined ? [] : [`${secret.name}/${secret.key}`];
      }),
    ),
  );
  const ofKeda = ["address", "username", "password", "tls"].map((key) => `signup-keda/${key}`);
  const ofOps = ["DATABASE_URL", "REDIS_URL"].map((key) => `signup-ops/${key}`);
  expect([...new Set(made)].sort()).toEqual([...new Set([...asked, ...ofKeda, ...ofOps])].sort());
});
