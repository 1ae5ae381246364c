import type { SignupWriter } from "../../database/users/signup.ts";
import { observedShare } from "../../observability/database-client.ts";
import { isTelemetryOn } from "../../observability/metrics.ts";

/** What a signup's one statement writes. Several signups share it, so no single trace has its span. */
const SIGNUP_STATEMENT = "INSERT users INSERT events INSERT deliveries INSERT outbox";

/** The writer with a span around each signup's wait for its share of a statement; without telemetry the writer itself. */
export const observedSignups = (signups: SignupWriter): SignupWriter =>
  isTelemetryOn()
    ? { ...signups, write: (signup) => observedShare(SIGNUP_STATEMENT, () => signups.write(signup)) }
    : signups;
