/** The fifteen invariants, each with its verdict at each function now. */
import { Panel } from '../../page/parts.tsx';
import type { Play } from '../play.ts';
import type { PlayedFunction } from '../theatre.ts';
import { INVARIANTS, type Verdict } from '../verdicts.ts';

const STANDINGS = { holds: 'holds', open: 'not judged yet', violated: 'violated' } as const;
const MARKS = { holds: '✓', open: '·', violated: '✗' } as const;

export interface InvariantsProps {
  readonly judged: readonly (readonly [PlayedFunction, readonly Verdict[]])[];
  /** A scene of the property tests says which invariant it once broke. */
  readonly beginning: Play['beginning'];
}

export function InvariantsPanel({ judged, beginning }: InvariantsProps) {
  const broken = judged.flatMap(([, verdicts]) => verdicts.filter(({ standing }) => standing === 'violated'));
  const holds = judged.flatMap(([, verdicts]) => verdicts).filter(({ standing }) => standing === 'holds').length;
  const of = judged.length * INVARIANTS.length;
  const summary = broken.length > 0 ? `${broken.length} violated` : `${holds} of ${of} hold`;
  const told = beginning.kind === 'scene' ? beginning.invariant : undefined;
  return (
    <Panel
      title="Invariants"
      class="invariants-panel"
      tools={
        <output class={broken.length > 0 ? 'error' : 'when'} aria-label="Verdict">
          {summary}
        </output>
      }
    >
      <table>
        <thead>
          <tr>
            <th scope="col">#</th>
            <th scope="col">Invariant</th>
            {judged.map(([{ id, name }]) => (
              <th key={id} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {INVARIANTS.map(([invariant, name, says], index) => (
            <tr key={invariant} class={told === invariant ? 'told' : ''}>
              <td>{invariant}</td>
              <th scope="row" title={says}>
                {name}
                <Why judged={judged} index={index} />
              </th>
              {judged.map(([{ id, name: of }, verdicts]) => {
                const verdict = verdicts[index];
                const standing = verdict?.standing ?? 'open';
                return (
                  <td key={id} class={standing} title={verdict?.why.join('; ') ?? ''}>
                    <span aria-hidden="true">{MARKS[standing]}</span>
                    <span class="hidden">
                      {of}: {STANDINGS[standing]}
                    </span>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="legend" aria-hidden="true">
        <span class="holds">✓</span> holds <span class="open">·</span> not judged yet <span class="violated">✗</span>{' '}
        violated
      </p>
    </Panel>
  );
}

/** Only of what is violated: what is missing elsewhere stands in its title. */
function Why({ judged, index }: { readonly judged: InvariantsProps['judged']; readonly index: number }) {
  const why = judged.flatMap(([{ name }, verdicts]) => {
    const verdict = verdicts[index];
    return verdict?.standing === 'violated' ? verdict.why.slice(0, 3).map((what) => `${name}: ${what}`) : [];
  });
  return (
    <>
      {why.map((what) => (
        <span key={what} class="why">
          {what}
        </span>
      ))}
    </>
  );
}
