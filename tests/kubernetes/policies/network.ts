import { z } from "zod";
import { type KubernetesObject, ofKind, selects } from "../objects.ts";
import { oursIn, workloadsIn } from "../workloads.ts";

const labels = z.record(z.string(), z.string());
/** A selector of pods, or of namespaces, by their labels. */
export const podSelector = z.looseObject({
  matchLabels: labels.default({}),
  matchExpressions: z
    .array(z.strictObject({ key: z.string(), operator: z.literal("In"), values: z.array(z.string()) }))
    .default([]),
});
const peer = z.strictObject({
  podSelector: podSelector.optional(),
  namespaceSelector: podSelector.optional(),
  ipBlock: z.looseObject({ cidr: z.string() }).optional(),
});
const ports = z.array(z.strictObject({ protocol: z.string(), port: z.union([z.string(), z.number()]) }));
const networkPolicy = z.looseObject({
  podSelector,
  policyTypes: z.array(z.enum(["Ingress", "Egress"])),
  ingress: z.array(z.strictObject({ from: z.array(peer).min(1), ports })).default([]),
  egress: z.array(z.strictObject({ to: z.array(peer).min(1), ports })).default([]),
});

type Selector = z.output<typeof podSelector>;
type Peer = z.output<typeof peer>;

/** Who can be at an end of a connection: pods of the overlay, or all of another namespace. */
interface Party {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Names and numbers of its ports. */
  readonly ports: ReadonlyMap<string, number>;
}

/** Whether it takes these labels. */
export const takes = ({ matchLabels, matchExpressions }: Selector, of: Readonly<Record<string, string>>): boolean =>
  selects(matchLabels, of) && matchExpressions.every(({ key, values }) => values.includes(of[key] ?? ""));

const isPeer = (of: Peer, party: Party, home: string): boolean => {
  if (of.ipBlock !== undefined) return false;
  const inNamespace =
    of.namespaceSelector === undefined
      ? party.namespace === home
      : takes(of.namespaceSelector, { "kubernetes.io/metadata.name": party.namespace });
  return inNamespace && (of.podSelector === undefined || takes(of.podSelector, party.labels));
};

/** Namespaces whose pods speak to ours; their own policies are not ours to make. */
const OTHERS = ["keda", "gateway", "monitoring", "kube-system", "default"];

const partiesIn = (objects: readonly KubernetesObject[]): readonly Party[] => [
  ...workloadsIn(objects).map(({ labels: of, object, pod }) => ({
    name: object.metadata.name.replace(/^migrate-.*/, "migrate"),
    namespace: object.metadata.namespace ?? "",
    labels: of,
    ports: new Map(
      pod.containers.flatMap((container) => container.ports.map((port) => [port.name, port.containerPort] as const)),
    ),
  })),
  ...OTHERS.map((namespace) => ({
    name: namespace,
    namespace,
    labels: namespace === "kube-system" ? { "k8s-app": "kube-dns" } : {},
    ports: new Map(
      [["collector", 4318]]
        .filter(() => namespace === "monitoring")
        .map(([name, port]) => [String(name), Number(port)]),
    ),
  })),
];

/**
 * The connections that the policies leave open, as `from -> to:port`: both ends must allow it. Postgres, Redis and the mail
 * server outside of the cluster are `cidr:port`. Names are not looked up: DNS is left out.
 */
export const openConnections = (objects: readonly KubernetesObject[]): readonly string[] => {
  const policies = ofKind(objects, "NetworkPolicy").map(({ spec }) => networkPolicy.parse(spec));
  const parties = partiesIn(objects);
  const home = oursIn(objects)[0]?.object.metadata.namespace ?? "";
  const isOurs = (party: Party) => party.namespace === home;
  const of = (party: Party, type: "Ingress" | "Egress") =>
    isOurs(party)
      ? policies.filter((policy) => policy.policyTypes.includes(type) && takes(policy.podSelector, party.labels))
      : [];

  const mayLeave = (from: Party, to: Party, port: number): boolean => {
    const egress = of(from, "Egress");
    return (
      egress.length === 0 ||
      egress.some((policy) =>
        policy.egress.some(
          (rule) => rule.to.some((one) => isPeer(one, to, home)) && rule.ports.some((one) => one.port === port),
        ),
      )
    );
  };
  const mayEnter = (from: Party, to: Party, name: string, port: number): boolean => {
    const ingress = of(to, "Ingress");
    return (
      ingress.length === 0 ||
      ingress.some((policy) =>
        policy.ingress.some(
          (rule) =>
            rule.from.some((one) => isPeer(one, from, home)) &&
            rule.ports.some((one) => one.port === name || one.port === port),
        ),
      )
    );
  };

  const within = parties.flatMap((from) =>
    parties
      .filter((to) => from !== to && (isOurs(from) || isOurs(to)))
      .flatMap((to) =>
        [...to.ports]
          .filter(([name, port]) => mayLeave(from, to, port) && mayEnter(from, to, name, port))
          .map(([, port]) => `${from.name} -> ${to.name}:${port}`),
      ),
  );
  const outside = parties
    .filter(isOurs)
    .flatMap((from) =>
      of(from, "Egress").flatMap((policy) =>
        policy.egress.flatMap((rule) =>
          rule.to
            .flatMap(({ ipBlock }) => ipBlock ?? [])
            .flatMap(({ cidr }) => rule.ports.map(({ port }) => `${from.name} -> ${cidr}:${port}`)),
        ),
      ),
    );
  return [...new Set([...within, ...outside])].sort();
};
