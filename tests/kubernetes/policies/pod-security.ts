import { nameOf, ofKind } from "../objects.ts";
import { oursIn, workloadsIn } from "../workloads.ts";
import { type Policy, unless } from "./policy.ts";

/** Pod Security Standard `restricted`, and what goes beyond it: a read-only root, no token, no links, a service account of its own. */
export const podSecurity: Policy = (objects) => {
  const namespaces = ofKind(objects, "Namespace").flatMap((namespace) =>
    unless(nameOf(namespace), [
      namespace.metadata.labels?.["pod-security.kubernetes.io/enforce"] === "restricted",
      "does not enforce the restricted standard",
    ]),
  );
  const pods = workloadsIn(objects).flatMap(({ name, pod, containers }) => [
    ...unless(
      name,
      [pod.securityContext?.runAsNonRoot, "may run as root"],
      [(pod.securityContext?.runAsUser ?? 0) > 0, "does not say which user it is"],
      [pod.securityContext?.seccompProfile?.type === "RuntimeDefault", "has no seccomp profile"],
      [pod.automountServiceAccountToken === false, "gets a token for the API server"],
      [pod.enableServiceLinks === false, "gets a variable per Service, REDIS_PORT among them"],
      [pod.hostNetwork !== true, "is on the node's network"],
    ),
    ...containers.flatMap(({ name: container, securityContext }) =>
      unless(
        `${name} ${container}`,
        [securityContext?.allowPrivilegeEscalation === false, "may gain privileges"],
        [securityContext?.readOnlyRootFilesystem, "may write to its image"],
        [securityContext?.capabilities?.drop.includes("ALL"), "keeps capabilities"],
        [securityContext?.capabilities?.add.length === 0, "adds capabilities"],
        [securityContext?.privileged !== true, "is privileged"],
      ),
    ),
  ]);
  const ours = oursIn(objects);
  const accounts = ours.flatMap(({ name, pod }) => {
    const account = ofKind(objects, "ServiceAccount").find(({ metadata }) => metadata.name === pod.serviceAccountName);
    const isShared = ours.filter((other) => other.pod.serviceAccountName === pod.serviceAccountName).length > 1;
    return unless(
      name,
      [account !== undefined, "has no service account of its own"],
      [!isShared, "shares its service account"],
      [account?.["automountServiceAccountToken"] === false, "has a service account that mounts its token"],
    );
  });
  return [...namespaces, ...pods, ...accounts];
};
