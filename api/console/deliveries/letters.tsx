import { drop } from "../../../ops/actions/drop.ts";
import { ledgerIdOf } from "../../../ops/actions/letters.ts";
import { groupNamed, NotFound } from "../../../ops/actions/operator.ts";
import { redrive } from "../../../ops/actions/redrive.ts";
import { relative } from "../../../runtime/quantity.ts";
import { findLetters, letterPages, type StoredLetter } from "../../../stream/dead-letters.ts";
import { entryTimeMs } from "../../../stream/watermark.ts";
import { FormToken } from "../layout.tsx";
import type { ConsoleParts, Visit, VisitHandler } from "../visit.ts";
import { momentText } from "../words.tsx";

/** Of each group so many of the latest letters are looked through. */
const LOOKED_AT = 100;
const LIST = "/console/deliveries?state=dead";
const PATH = "/console/deliveries/letters";

interface GroupsLetter {
  readonly group: string;
  readonly letter: StoredLetter;
}

/** The latest letters of entries that could not be read and whose event is nobody's: the ledger has no delivery to list. */
export const lettersAlone = async (
  { keys }: Pick<ConsoleParts, "keys">,
  visit: Visit,
  groups: readonly string[],
): Promise<readonly GroupsLetter[]> => {
  const { redis } = visit.operator();
  const ofGroup = async (group: string): Promise<readonly GroupsLetter[]> => {
    const first = await letterPages(redis, keys, group, LOOKED_AT, { newestFirst: true }).next();
    const alone = first.done === true ? [] : first.value.filter((letter) => ledgerIdOf(letter) === undefined);
    return alone.map((letter) => ({ group, letter }));
  };
  return (await Promise.all(groups.map(ofGroup))).flat();
};

const writtenAt = ({ letterId }: StoredLetter): Date => new Date(entryTimeMs(letterId));

const LetterRow = ({ visit, now, group, letter }: GroupsLetter & { readonly visit: Visit; readonly now: Date }) => (
  <tr>
    <td>
      <time datetime={writtenAt(letter).toISOString()}>{relative(writtenAt(letter), now)}</time>
    </td>
    <td>{group}</td>
    <td class="whole">
      {letter.reason}
      {letter.detail === "" ? null : <small>{letter.detail}</small>}
    </td>
    <td>
      <code>{letter.letterId}</code>
    </td>
    {visit.session.role === "operator" ? (
      <td>
        <form method="post" action={PATH} class="bar">
          <FormToken session={visit.session} />
          <input type="hidden" name="letter" value={`${group}/${letter.letterId}`} />
          <button type="submit" name="do" value="republish" class="quiet">
            Republish …
          </button>
          <button type="submit" name="do" value="drop" class="danger">
            Drop …
          </button>
        </form>
      </td>
    ) : null}
  </tr>
);

/** Dead letters that no delivery stands for; nothing where there are none. */
export const LettersAlone = ({
  letters,
  visit,
  now,
}: {
  readonly letters: readonly GroupsLetter[];
  readonly visit: Visit;
  readonly now: Date;
}) =>
  letters.length === 0 ? null : (
    <>
      <h2>Entries that are no event of ours</h2>
      <p class="soft">
        {`They could not be read, and the ledger knows nothing of them. Of each group's latest ${LOOKED_AT} dead letters.`}
      </p>
      <section class="scroll card flush deliveries" tabindex={0} aria-label="Entries that are no event of ours">
        <table class="stacked">
          <thead>
            <tr>
              <th>Dead</th>
              <th>Group</th>
              <th>Reason</th>
              <th>Letter</th>
              {visit.session.role === "operator" ? <th>Change</th> : null}
            </tr>
          </thead>
          <tbody>
            {letters.map((each) => (
              <LetterRow {...each} visit={visit} now={now} />
            ))}
          </tbody>
        </table>
      </section>
    </>
  );

const ACTIONS = {
  republish: {
    label: "Republish",
    about: "It is queued for the group again, unchanged. If its consumers cannot read it by now, it is dead again.",
  },
  drop: { label: "Drop", about: "It is deleted for good: nothing else has it." },
} as const;

const actionNamed = (name: string | null): keyof typeof ACTIONS | undefined =>
  name === "republish" || name === "drop" ? name : undefined;

/** Says what becomes of a letter, and does it once that is confirmed. */
export const changeLetter =
  ({ groups, keys }: Pick<ConsoleParts, "groups" | "keys">): VisitHandler =>
  async (visit) => {
    const { form } = visit;
    const operator = visit.operator();
    const [name = "", letterId = ""] = (form.get("letter") ?? "").split("/");
    const group = groupNamed({ groups }, name);
    const action = actionNamed(form.get("do"));
    const [letter] = /^\d+-\d+$/.test(letterId) ? await findLetters(operator.redis, keys, name, letterId) : [];
    if (action === undefined || letter === undefined) throw new NotFound("There is no such letter any more.");
    const { label, about } = ACTIONS[action];
    if (form.get("sure") === "yes") {
      const one = { kind: "one", id: letterId } as const;
      await (action === "drop" ? drop(operator, group, one) : redrive(operator, group, one));
      return visit.redirect(LIST);
    }
    return visit.page({
      title: `${label}: preview`,
      children: (
        <>
          <h1>{`${label} 1 entry?`}</h1>
          <div class="card">
            <p>Nothing was changed yet. This is what would happen:</p>
            <p>{about}</p>
            <dl>
              <dt>group</dt>
              <dd>{name}</dd>
              <dt>dead since</dt>
              <dd>{momentText(writtenAt(letter))}</dd>
              <dt>reason</dt>
              <dd>{letter.reason}</dd>
              <dt>why</dt>
              <dd>{letter.detail}</dd>
            </dl>
          </div>
          <form method="post" action={PATH}>
            <FormToken session={visit.session} />
            <input type="hidden" name="letter" value={`${name}/${letterId}`} />
            <input type="hidden" name="sure" value="yes" />
            <p class="bar">
              <button type="submit" name="do" value={action} class={action === "drop" ? "danger" : undefined}>
                {`${label} it`}
              </button>
              <a href={LIST}>Back to the list</a>
            </p>
          </form>
        </>
      ),
    });
  };
