import type { SignupFacts } from "../../../database/users/import.ts";
import type { FoundMessage } from "../../../stream/celery/broker.ts";
import type { DecodedTask } from "../../../stream/celery/message.ts";
import type { Decision } from "./decide.ts";

/** A message, and what becomes of it. */
export interface Considered {
  readonly found: FoundMessage;
  readonly decoded: DecodedTask;
  readonly decision: Decision;
  /** undefined: the message cannot be read, or is not meant. */
  readonly candidate: Candidate | undefined;
  readonly facts: SignupFacts;
}

/** What is looked up about a message that nothing speaks against by itself. */
export interface Candidate {
  readonly taskId: string;
  readonly eventId: string;
  readonly email: string;
  readonly emailKey: string;
  readonly userName: string;
  readonly userNameKey: string;
}
