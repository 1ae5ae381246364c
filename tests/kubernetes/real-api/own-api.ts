import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startChild } from "../../../local/child.ts";
import { eventually } from "../../eventually.ts";
import { ownPort } from "../../own-port.ts";
import { findKubectl } from "../kubectl.ts";
import { temporaryDirectory } from "../temporary-directory.ts";

/** A kube-apiserver of a test's own, without controllers: what it takes, refuses, and adds. */
export interface OwnApi extends AsyncDisposable {
  /** Runs kubectl as an administrator. */
  kubectl(words: readonly string[], input?: string): Promise<{ code: number; out: string; err: string }>;
}

const TOKEN = "of-this-test-alone";
const READY_WITHIN_MS = 90_000;
const STOP_MS = 10_000;

export const ownApi = async (programs: { readonly apiserver: string; readonly etcd: string }): Promise<OwnApi> => {
  const directory = temporaryDirectory("kubernetes-api");
  const file = (name: string) => join(directory.path, name);
  const [store, peers, secure] = [await ownPort(), await ownPort(), await ownPort()];
  const [storeUrl, peersUrl] = [`http://127.0.0.1:${store}`, `http://127.0.0.1:${peers}`];
  const etcd = startChild({
    command: [
      ...[
        programs.etcd,
        "--data-dir",
        file("etcd"),
        "--listen-client-urls",
        storeUrl,
        "--advertise-client-urls",
        storeUrl,
      ],
      ...["--listen-peer-urls", peersUrl, "--initial-advertise-peer-urls", peersUrl],
      ...["--initial-cluster", `default=${peersUrl}`, "--unsafe-no-fsync"],
    ],
    logFile: file("etcd.log"),
    deathSignal: "TERM",
  });
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2_048,
    privateKeyEncoding: { format: "pem", type: "pkcs1" },
    publicKeyEncoding: { format: "pem", type: "pkcs1" },
  });
  writeFileSync(file("key.pem"), privateKey);
  writeFileSync(file("tokens.csv"), `${TOKEN},admin,1,"system:masters"\n`);
  const api = startChild({
    command: [
      ...[
        programs.apiserver,
        "--etcd-servers",
        storeUrl,
        "--bind-address",
        "127.0.0.1",
        "--secure-port",
        String(secure),
      ],
      ...["--cert-dir", file("certificates"), "--token-auth-file", file("tokens.csv"), "--authorization-mode", "RBAC"],
      ...["--service-account-key-file", file("key.pem"), "--service-account-signing-key-file", file("key.pem")],
      ...["--service-account-issuer", "https://kubernetes.example", "--service-cluster-ip-range", "10.96.0.0/16"],
      // It waits for a controller that makes accounts.
      ...["--disable-admission-plugins", "ServiceAccount"],
    ],
    logFile: file("api.log"),
    deathSignal: "TERM",
  });
  const flags = [`--server=https://127.0.0.1:${secure}`, "--insecure-skip-tls-verify", `--token=${TOKEN}`];
  const program = findKubectl();
  const kubectl: OwnApi["kubectl"] = async (words, input = "") => {
    const child = Bun.spawn([program, ...flags, ...words], {
      env: { PATH: process.env["PATH"] ?? "", KUBECONFIG: "/dev/null", HOME: directory.path },
      stdin: new Blob([input]),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    return { code: await child.exited, out, err };
  };
  await eventually(async () => (await kubectl(["get", "--raw", "/readyz"])).out === "ok", READY_WITHIN_MS);
  return {
    kubectl,
    async [Symbol.asyncDispose]() {
      await api.stop("SIGTERM", STOP_MS);
      await etcd.stop("SIGTERM", STOP_MS);
      directory[Symbol.dispose]();
    },
  };
};
