import { duration } from "../../runtime/quantity.ts";
import { FormToken } from "./layout.tsx";
import { SESSION_LIFE_MS } from "./session.ts";
import type { Visit, VisitHandler } from "./visit.ts";
import { Moment } from "./words.tsx";

export const SIGN_OUT = "/console/sign-out";

/** Who is signed in, until when, and how to end it. */
export const showSession =
  (now: () => Date): VisitHandler =>
  (visit) => {
    const { session } = visit;
    const [begun, ends] = [new Date(session.begunAt), new Date(session.endsAt)];
    return visit.page({
      title: "Your session",
      children: (
        <>
          <h1>Your session</h1>
          <div class="card">
            <dl>
              <dt>Name</dt>
              <dd>{session.name}</dd>
              <dt>Role</dt>
              <dd>{session.role === "operator" ? "operator: may act" : "reader: may look"}</dd>
              <dt>Signed in</dt>
              <dd>
                <Moment at={begun} />
              </dd>
              <dt>Ends</dt>
              <dd>
                <Moment at={ends} />, in {duration(Math.max(0, ends.getTime() - now().getTime()))}
              </dd>
            </dl>
          </div>
          <form method="post" action={SIGN_OUT}>
            <FormToken session={session} />
            <p class="bar">
              <button type="submit" name="scope" value="here">
                Sign out here
              </button>
              <button type="submit" class="quiet" name="scope" value="everywhere">
                {`Sign ${session.name} out everywhere`}
              </button>
            </p>
          </form>
          <p class="soft">
            A session is good for {duration(SESSION_LIFE_MS)}. Signing out ends it in every replica of the api, also for
            who has copied its cookie. “Everywhere” ends all sessions that are called {session.name} and have the role{" "}
            {session.role}. To end those of all names, change the role's token.
          </p>
        </>
      ),
    });
  };

/** What is shown where the browser has forgotten the session, and nobody else could be told. */
export const signedOutHereOnly = (visit: Visit): Promise<Response> =>
  visit.page({
    title: "Signed out in this browser only",
    status: 503,
    children: (
      <>
        <h1>Signed out in this browser only</h1>
        <p class="alert">
          PostgreSQL does not answer. This browser has forgotten the session; who has copied its cookie could look, and
          nothing else, until <Moment at={new Date(visit.session.endsAt)} /> or until PostgreSQL is back and you sign
          out everywhere.
        </p>
        <p>
          <a href="/console/sign-in">Sign in</a>
        </p>
      </>
    ),
  });
