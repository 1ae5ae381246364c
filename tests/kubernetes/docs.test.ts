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

test("the Secrets that it creates have every key that the manifests reference", () => {
  const made = shell
    .flatMap((block) => block.split("\n"))
    .flatMap((line) => {
      const name = /create secret generic (\S+)/.exec(line)?.[1];
      return [...line.matchAll(/--from-literal=(\w+)=/g)].map((match) => `${name}/${match[1]}`);
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
