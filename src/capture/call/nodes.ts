/** Which addresses are Participating Functions: those that make invitations of invitations. */
import { type Descent, descentOf, type Invitation } from './invitations.ts';

export interface Node {
  readonly address: string;
  readonly how: 'given' | 'sends invitations anew' | 'passes invitations on';
  /** Invitations it has made of others. */
  readonly sessions: number;
}

/** Latest invitations at one address that are looked through for what another was made of. */
const LOOKED_BACK = 256;

/**
 * A B2BUA is surely more than a core, so where there is one, those that only pass on are no functions. Where all only
 * pass on, which of them are functions can't be told: all are named.
 */
export function nodesIn(invitations: readonly Invitation[]): Node[] {
  const received = new Map<string, Invitation[]>();
  const made: Record<Descent, Map<string, number>> = { proxy: new Map(), b2bua: new Map() };
  for (const invitation of invitations) {
    const before = received.get(invitation.from) ?? [];
    const descent = before.map((earlier) => descentOf(earlier, invitation)).findLast((each) => each !== undefined);
    if (descent !== undefined) made[descent].set(invitation.from, (made[descent].get(invitation.from) ?? 0) + 1);
    const there = received.get(invitation.to) ?? [];
    there.push(invitation);
    if (there.length > LOOKED_BACK) there.shift();
    received.set(invitation.to, there);
  }
  const kind = made.b2bua.size > 0 ? 'b2bua' : 'proxy';
  const how = kind === 'b2bua' ? 'sends invitations anew' : 'passes invitations on';
  return [...made[kind]].map(([address, sessions]) => ({ address, how, sessions }));
}
