import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { unpackDebianPackages } from "../../../local/debian-packages.ts";
import { APISERVER, DIRECTORY, ETCD } from "./programs.ts";

/**
 * `bun tests/kubernetes/real-api/build.ts`: makes what `tests/long/kubernetes-api.test.ts` needs, in `.local/kubernetes/`: Debian's etcd,
 * and a kube-apiserver that Go 1.25 or later compiles from its module. That takes ten minutes of two cores, once.
 */
const VERSION = "v1.35.4";
const SOURCES = join(DIRECTORY, "build");

const MAIN = `package main

import (
	"os"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() { os.Exit(cli.Run(app.NewAPIServerCommand())) }
`;

const go = (...args: readonly string[]): string => {
  const { success, stdout } = Bun.spawnSync(["go", ...args], { cwd: SOURCES, stdio: ["ignore", "pipe", "inherit"] });
  if (!success) throw new Error(`go ${args.join(" ")} failed`);
  return stdout.toString();
};

/** What Kubernetes takes from its own tree is published as modules of the version 0.x. */
const moduleFile = (ofKubernetes: string): string => {
  const staged = new Set([...ofKubernetes.matchAll(/(k8s\.io\/[\w-]+) => \.\/staging/g)].map(([, name]) => name));
  const replaced = [...staged].map((name) => `\t${name} => ${name} ${VERSION.replace(/^v1/, "v0")}`);
  return `module kube\n\ngo 1.25.0\n\nrequire k8s.io/kubernetes ${VERSION}\n\nreplace (\n${replaced.join("\n")}\n)\n`;
};

const buildServer = (): void => {
  mkdirSync(SOURCES, { recursive: true });
  const { GoMod } = z
    .object({ GoMod: z.string() })
    .parse(JSON.parse(go("mod", "download", "-json", `k8s.io/kubernetes@${VERSION}`)));
  writeFileSync(join(SOURCES, "go.mod"), moduleFile(readFileSync(GoMod, "utf8")));
  writeFileSync(join(SOURCES, "main.go"), MAIN);
  go("mod", "tidy", "-e");
  const named = `-X k8s.io/component-base/version.git`;
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(VERSION) ?? [];
  const flags = `-s -w ${named}Version=${VERSION} ${named}Major=${major} ${named}Minor=${minor}`;
  go("build", "-ldflags", flags, "-o", APISERVER, ".");
};

mkdirSync(DIRECTORY, { recursive: true });
if (!existsSync(ETCD)) unpackDebianPackages(DIRECTORY, ["etcd-server"]);
if (!existsSync(APISERVER)) buildServer();
console.log(`${ETCD}\n${APISERVER}`);
