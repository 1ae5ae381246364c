import { find, type SignupDetails } from "../../../ops/actions/find.ts";
import { counted } from "../../../runtime/quantity.ts";
import type { ConsoleParts, ConsoleSection, Visit } from "../visit.ts";
import { Moment, Pill } from "../words.tsx";
import { journeysOf } from "./journey.ts";
import { JourneyView } from "./journey-view.tsx";

/** Ids may be in an address that is logged and shared; names and mail addresses may not. */
const ID = /^[\w-]{1,64}$/;
/** Longer texts name nobody. */
const MOST_CHARACTERS = 320;

const Search = ({ visit, wanted = "" }: { readonly visit: Visit; readonly wanted?: string }) => (
  <search>
    <form class="find" method="post" action="/console/find">
      <input type="hidden" name="csrf" value={visit.session.csrf} />
      <label for="wanted">Event id, trace id, user id, address or user name</label>
      <div class="bar">
        <input
          id="wanted"
          name="wanted"
          type="search"
          value={wanted}
          maxlength={MOST_CHARACTERS}
          autocomplete="off"
          spellcheck={false}
          required
          data-find
          autofocus={wanted === ""}
        />
        <button type="submit">Find</button>
      </div>
    </form>
  </search>
);

const Person = ({ signup }: { readonly signup: SignupDetails }) => (
  <dl class="card person">
    <dt>user</dt>
    <dd>
      <code>{signup.userId}</code>
    </dd>
    <dt>name</dt>
    <dd>{signup.userName ?? <Pill level="notice">erased</Pill>}</dd>
    <dt>address</dt>
    <dd>
      {signup.email ?? <Pill level="notice">erased</Pill>}{" "}
      {signup.suppressed === null ? null : <Pill level="notice">{`suppressed: ${signup.suppressed}`}</Pill>}
    </dd>
    {signup.disownedAt === null ? null : (
      <>
        <dt>disowned</dt>
        <dd>
          <Moment at={signup.disownedAt} />: the owner of the address did not sign up
        </dd>
      </>
    )}
  </dl>
);

interface FoundProps {
  readonly signup: SignupDetails;
  readonly wanted: string;
  readonly parts: ConsoleParts;
}

const Found = ({ signup, wanted, parts }: FoundProps) => {
  const journeys = journeysOf(signup, parts.now());
  const named = journeys.filter(({ eventId, traceId }) => [eventId, traceId].includes(wanted.toLowerCase()));
  const opened = named.length > 0 ? named : journeys.slice(0, 1);
  return (
    <>
      <Person signup={signup} />
      {journeys.length === 0 ? <p class="soft">No delivery is in the ledger.</p> : null}
      {journeys.map((journey) => (
        <JourneyView journey={journey} grafanaUrl={parts.settings.GRAFANA_URL} isOpen={opened.includes(journey)} />
      ))}
    </>
  );
};

/** Somebody's events, and what became of each. Found by a form, shown by an id: no address or name is in any URL. */
export const FIND: ConsoleSection = {
  label: "Find",
  key: "f",
  path: "/console/find",
  paths: (parts) => [
    {
      path: "/console/find",
      get: (visit) =>
        visit.page({
          title: "Find",
          children: (
            <>
              <h1>Find</h1>
              <Search visit={visit} />
              <p class="soft">
                What became of a signup, in every group: from the request to the mail server's words. Names and
                addresses are masked.
              </p>
            </>
          ),
        }),
      isHarmless: true,
      async post(visit) {
        const wanted = (visit.form.get("wanted") ?? "").trim().slice(0, MOST_CHARACTERS);
        const signups = wanted === "" ? [] : await find(visit.operator(), wanted);
        const [first, ...others] = signups;
        if (first !== undefined && others.length === 0) {
          const isId = signups.some(({ deliveries }) =>
            deliveries.some(({ eventId, traceparent }) => wanted === eventId || traceparent.includes(wanted)),
          );
          return visit.redirect(`/console/find/${isId && ID.test(wanted) ? wanted : first.userId}`);
        }
        return visit.page({
          title: first === undefined ? "Nothing found" : "Find",
          children: (
            <>
              <h1>{first === undefined ? "Nothing found" : counted(signups.length, "signup")}</h1>
              <Search visit={visit} wanted={wanted} />
              {first === undefined ? (
                <p role="status">
                  Nobody has this id, address or name. A trace is looked for among the latest 200,000 events.
                </p>
              ) : (
                <ul class="list">
                  {signups.map(({ userId, userName, email }) => (
                    <li>
                      <a data-item href={`/console/find/${userId}`}>
                        {userName ?? "erased"}, {email ?? "erased"}
                      </a>
                    </li>
                  ))}
                </ul>
              )}
            </>
          ),
        });
      },
    },
    {
      path: "/console/find/:id",
      async get(visit) {
        const wanted = visit.c.req.param("id") ?? "";
        const signups = ID.test(wanted) ? await find(visit.operator(), wanted) : [];
        const isFound = signups.length > 0;
        return visit.page({
          title: isFound ? "Found" : "Nothing found",
          status: isFound ? 200 : 404,
          children: (
            <>
              <h1>{isFound ? "Journey" : "Nothing found"}</h1>
              <Search visit={visit} wanted={wanted} />
              {signups.map((signup) => (
                <Found signup={signup} wanted={wanted} parts={parts} />
              ))}
            </>
          ),
        });
      },
    },
  ],
};
