import { BACKLOG_BOUND } from "../database/ledger/counts.ts";
import { CAPACITY_CONSTANTS } from "../runtime/capacity/constants.ts";
import { capacityFor, type Load } from "../runtime/capacity/model.ts";
import { type DeployedGroup, needsOf } from "./group-manifests.ts";

/** The minimum that the component `always-on` sets; no maximum is below it, and a lost node takes one. */
export const ALWAYS_ON = 2;

/** What the manifests say for a load. */
export interface Sizing {
  readonly apiReplicas: number;
  /** Requests of one pod at the peak, as Kubernetes writes them: `1600m`. The rest up to its share `utilisation` is head-room. */
  readonly apiCpu: string;
  readonly consumerCpu: string;
  /** Of each group, for any may get an event of every signup. */
  readonly maxConsumers: number;
  /** `lagCount`. */
  readonly lagTarget: number;
  /** `targetValue` of the backlog: at its bound it asks for the maximum, and for no more. */
  readonly backlogTarget: number;
  /** At most, with every group at its maximum, and one pod more of each during a rollout. */
  readonly databaseConnections: number;
  readonly smtpConnections: number;
  /** What one instance does not bear. */
  readonly limits: readonly string[];
}

const CPU_STEP = 100;

/** Rounded up, so that a figure measured anew does not change every manifest; and as the API server writes it: `2`, not `2000m`. */
const quantityOf = (cores: number): string => {
  const rounded = Math.max(1, Math.ceil((cores * 1_000) / CPU_STEP)) * CPU_STEP;
  return rounded % 1_000 === 0 ? String(rounded / 1_000) : `${rounded}m`;
};

/** The values of the manifests for a load, by the capacity model. Pure. */
export const sizingFor = (load: Load, groups: readonly Pick<DeployedGroup, "requires">[]): Sizing => {
  const { api, consumers, scaling, limits } = capacityFor(load);
  const { apiDatabasePool, consumerDatabasePool, otherDatabaseConnections, consumerUs } = CAPACITY_CONSTANTS;
  const { mailPoolSize = CAPACITY_CONSTANTS.connectionsPerConsumer.value } = load;
  const maxConsumers = Math.max(ALWAYS_ON, scaling.maxReplicas);
  const mailGroups = groups.filter(({ requires }) => needsOf(requires).includes("mail"));
  return {
    apiReplicas: api.replicas,
    apiCpu: quantityOf(api.cores / api.replicas),
    consumerCpu: quantityOf((consumers.mailsPerSecond * consumerUs.value) / 1_000_000),
    maxConsumers,
    lagTarget: scaling.lagTarget,
    backlogTarget: Math.max(1, Math.floor(BACKLOG_BOUND / maxConsumers)),
    databaseConnections:
      (api.replicas + 1) * apiDatabasePool.value +
      groups.length * (maxConsumers + 1) * consumerDatabasePool.value +
      otherDatabaseConnections.value,
    smtpConnections: mailGroups.length * maxConsumers * mailPoolSize,
    limits,
  };
};
