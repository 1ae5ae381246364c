import { expect } from "bun:test";
import { z } from "zod";
import { createPublisher } from "../../api/signup/publisher.ts";
import type { AtCheckpoint } from "../../consumers/engine/checkpoint.ts";
import type { GroupOptions } from "../../consumers/engine/group.ts";
import type { Attempt, Claim, GroupDefinition, Outcome, Policy } from "../../consumers/engine/handler.ts";
import { statement } from "../../database/connection.ts";
import { type BoundGroup, type LoggedEvent, sqlWriteEvents } from "../../database/events.ts";
import type { DeliveryStatus } from "../../database/ledger/status.ts";
import { randomHex, randomTraceContext } from "../../observability/trace-context.ts";
import { EVENT_TYPES } from "../../stream/events/types.ts";
import { boundGroups, type Group, WELCOME_EMAIL } from "../../stream/groups.ts";
import { eventually } from "../eventually.ts";
import {
  aMailGroup,
  anOutbox,
  aPipeline,
  aSignup,
  type Pipeline,
  silentLog,
  TEST_POLICY,
  type TestConsumer,
} from "../pipeline.ts";

/*
 * A second group beside the welcome mail's, of another kind: its own event type, its own schema, its own store, idempotent.
 * A third one on the same events, the invoices', works undisturbed throughout.
 */

export const ORDER_PLACED = "order.placed.v1";

/** The group that the tests are about. It binds by a wildcard. */
export const STOCK: Group = { name: "stock", types: ["order.#"] };
/** The other group of the same events. */
export const INVOICE: Group = { name: "invoice", types: [ORDER_PLACED] };

const orderSchema = z.object({ order_id: z.guid(), quantity: z.int().positive() });
export type OrderPlaced = z.output<typeof orderSchema>;

const KNOWN_TYPES = [...EVENT_TYPES, ORDER_PLACED];

type Work<Data> = (claim: Claim<Data>, shelf: string, attempt: Attempt) => Promise<Outcome>;
/** What a test has a consumer of the stock do with an order. */
export type StockWork = Work<OrderPlaced>;
type Prepare = GroupDefinition<unknown, string>["prepare"];

/** Counts what was reserved, by event id, as often as it was. */
export const aStock = (): { readonly reserved: string[]; readonly work: Work<unknown> } => {
  const reserved: string[] = [];
  return {
    reserved,
    work: async ({ eventId }, shelf, attempt) => {
      if (!attempt.commit()) return { kind: "released", reason: "lease_lost" };
      reserved.push(eventId);
      return { kind: "done", receipt: `${shelf}:${eventId}` };
    },
  };
};

const onTheFirstShelf: Prepare = async (pieces) =>
  new Map(pieces.map(({ eventId }) => [eventId, { kind: "ready", input: "shelf 1" }]));

export interface StockOptions extends Partial<Policy>, Partial<GroupOptions> {
  readonly at?: AtCheckpoint;
  readonly knownTypes?: readonly string[];
  readonly prepare?: Prepare;
}

/** An order to be written, its parts replaceable. */
export type OrderParts = Partial<Pick<LoggedEvent, "event_id" | "type" | "subject" | "data">>;

export const anOrder = (parts: OrderParts = {}): LoggedEvent => {
  const orderId = Bun.randomUUIDv7();
  return {
    event_id: Bun.randomUUIDv7(),
    type: ORDER_PLACED,
    subject: orderId,
    data: { order_id: orderId, quantity: 1 } satisfies OrderPlaced,
    ...randomTraceContext(randomHex),
    tracestate: null,
    created_at: new Date(),
    ...parts,
  };
};

const insertOrders = (bindings: readonly BoundGroup[]) =>
  statement<{ event_id: string }, [readonly LoggedEvent[]]>(`
  with placed as (
    select * from json_to_recordset($1::json) as row (
      event_id uuid, type text, subject text, data jsonb, traceparent text, tracestate text)),
  ${sqlWriteEvents("placed", bindings)}
  select event_id from placed`);

export interface Orders extends AsyncDisposable {
  readonly pipeline: Pipeline;
  /** Writes orders and leaves them in the outbox; returns their event ids. */
  write(...orders: readonly LoggedEvent[]): Promise<string[]>;
  /** Publishes orders that are written. */
  publish(...orders: readonly LoggedEvent[]): Promise<void>;
  /** Writes and publishes orders; returns their event ids. */
  place(...orders: readonly LoggedEvent[]): Promise<string[]>;
  /** The stock's definition. */
  definition(work: StockWork, options?: StockOptions): GroupDefinition<OrderPlaced, string>;
  /** Starts a consumer of the stock. */
  consumer(work: StockWork, options?: StockOptions): Promise<TestConsumer>;
  /** What the ledger says of an event in the stock's group. */
  status(eventId: string): Promise<DeliveryStatus | undefined>;
  /** Resolves when the deliveries of all these events to the stock are in that state. */
  settled(eventIds: readonly string[], state?: DeliveryStatus["state"], timeoutMs?: number): Promise<void>;
  /** The reasons of the stock's dead letters, oldest first. */
  letters(): Promise<readonly string[]>;
  /** Checks that nothing of the stock's group is left pending. */
  nothingPending(): Promise<void>;
  /** Checks that the invoice of each of these events was written at the first attempt, and the one mail, too. */
  othersUntouched(eventIds: readonly string[]): Promise<void>;
}

const aGroup = <Data>(
  group: Group,
  data: z.ZodType<Data>,
  work: Work<Data>,
  { prepare = onTheFirstShelf, ...policy }: StockOptions = {},
): GroupDefinition<Data, string> => ({
  group,
  data,
  prepare,
  work,
  policy: { ...TEST_POLICY, isIdempotent: true, oncePerSubject: false, ...policy },
});

const fieldOf = (fields: readonly string[], name: string): string => fields[fields.indexOf(name) + 1] ?? "";

/** A pipeline with three groups; consumers of invoices and mails run, and one mail is sent. */
export const anOrderPipeline = async ({ stock = STOCK }: { readonly stock?: Group } = {}): Promise<Orders> => {
  const groups = [WELCOME_EMAIL, stock, INVOICE];
  const pipeline = await aPipeline(groups);
  const { db, redis, keys } = pipeline;
  const publisher = createPublisher({ db, redis, keys, log: silentLog });
  const invoices = aStock();
  const mails = anOutbox();
  const insert = insertOrders(boundGroups(groups, KNOWN_TYPES));
  const known = { knownTypes: KNOWN_TYPES };
  await pipeline.start((ownDb) => aMailGroup(ownDb, mails.work), known);
  await pipeline.start(() => aGroup(INVOICE, z.unknown(), invoices.work), known);
  const [signupId = ""] = await pipeline.signUp(aSignup());

  const status = (eventId: string, group = stock.name) => pipeline.status(eventId, group);
  const write: Orders["write"] = async (...orders) => {
    await insert(db, orders);
    return orders.map((order) => order.event_id);
  };
  const publish: Orders["publish"] = async (...orders) => {
    await Promise.all(orders.map((order) => publisher.publish(order)));
    await publisher.idle();
  };
  const definition: Orders["definition"] = (work, options) => aGroup(stock, orderSchema, work, options);
  const settled: Orders["settled"] = async (eventIds, state = "done", timeoutMs) => {
    for (const eventId of eventIds) await eventually(async () => (await status(eventId))?.state === state, timeoutMs);
  };

  return {
    pipeline,
    write,
    status,
    settled,
    publish,
    async place(...orders) {
      const eventIds = await write(...orders);
      await publish(...orders);
      return eventIds;
    },
    definition,
    consumer: (work, options = {}) => pipeline.start(() => definition(work, options), { ...known, ...options }),
    letters: async () =>
      (await redis.xrange(keys.dead(stock.name), "-", "+")).map(([, fields]) => fieldOf(fields, "reason")),
    async nothingPending() {
      for (const stream of [keys.events, keys.retriesStream(stock.name)]) {
        await eventually(async () => (await redis.xpending(stream, stock.name))[0] === 0);
      }
    },
    async othersUntouched(eventIds) {
      for (const eventId of eventIds) {
        const invoice = await eventually(async () => {
          const now = await status(eventId, INVOICE.name);
          return now?.state === "done" && now;
        });
        expect(invoice).toMatchObject({ attempts: 1, uncertain: 0 });
        const steps = invoice.timeline
          .filter(({ reason }) => reason !== "relayed" && reason !== "reconciled")
          .map(({ state, reason }) => (state === "queued" && reason !== null ? `queued, ${reason}` : state));
        // One that nobody wrote begins with the claim that takes it into the ledger. A busy machine may take longer than the
        // tests' short lease to begin: then it is given back, untried, and claimed again.
        const told = steps
          .filter((step, at) => at > 0 || !step.startsWith("queued"))
          .filter((step, at, all) => step !== "queued, lease_lost" && all[at + 1] !== "queued, lease_lost");
        expect(told).toEqual(["active", "done"]);
      }
      expect(invoices.reserved.filter((eventId) => eventIds.includes(eventId)).sort()).toEqual([...eventIds].sort());
      await eventually(async () => (await status(signupId, WELCOME_EMAIL.name))?.state === "done");
      expect(mails.sent).toEqual([signupId]);
      expect(await status(signupId)).toBeUndefined();
    },
    async [Symbol.asyncDispose]() {
      await publisher.idle();
      await pipeline[Symbol.asyncDispose]();
    },
  };
};
