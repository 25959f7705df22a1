/** A message and the one it was made from, or that was made from it, side by side with what differs marked. */
import { compareMessages, marked, type Row } from './compare.ts';
import { offset, size } from './format.ts';
import type { TracedMessage } from './told.ts';

export interface PairProps {
  readonly message: TracedMessage;
  readonly partner: TracedMessage | undefined;
  readonly startedAt: number;
  readonly close: () => void;
}

export function MessagePair({ message, partner, startedAt, close }: PairProps) {
  const [received, sent] = message.direction === 'in' ? [message, partner] : [partner, message];
  return (
    <section class="pair" aria-label="Messages side by side">
      <header>
        <Title message={received} startedAt={startedAt} word="Received" />
        <Title message={sent} startedAt={startedAt} word="Sent" />
        <button type="button" class="quiet" aria-label="Close the messages" onClick={close}>
          ×
        </button>
      </header>
      <SideBySide left={received?.text} right={sent?.text} />
    </section>
  );
}

function Title(props: {
  readonly message: TracedMessage | undefined;
  readonly startedAt: number;
  readonly word: 'Received' | 'Sent';
}) {
  const { message, startedAt, word } = props;
  if (message === undefined) {
    return <h2 class="none">{word === 'Sent' ? 'Not passed on' : 'Made by the function itself'}</h2>;
  }
  return (
    <h2>
      {word} {word === 'Received' ? 'from' : 'to'} <b>{message.leg}</b>
      <span>
        {message.peer} · {size(message.bytes)} · {offset(message.at - startedAt)} s
        {message.again !== null && ' · repeated'}
      </span>
    </h2>
  );
}

/** One text alone where the other is not there. */
export function SideBySide({ left, right }: { readonly left: string | undefined; readonly right: string | undefined }) {
  const rows =
    left !== undefined && right !== undefined ? compareMessages(left, right) : alone(left ?? '', right ?? '');
  return (
    <div class="side-by-side">
      {rows.map((row, at) => (
        // Lines have no other name than their place
        <div key={at} class={`line ${row.kind}`}>
          <Line text={row.left} other={row.right} kind={row.kind} />
          <Line text={row.right} other={row.left} kind={row.kind} />
        </div>
      ))}
    </div>
  );
}

function alone(left: string, right: string): Row[] {
  const lines = (text: string): string[] => text.replace(/\r\n/g, '\n').replace(/\n+$/, '').split('\n');
  return left === ''
    ? lines(right).map((text) => ({ kind: 'same', left: null, right: text }))
    : lines(left).map((text) => ({ kind: 'same', left: text, right: null }));
}

function Line(props: { readonly text: string | null; readonly other: string | null; readonly kind: Row['kind'] }) {
  const { text, other, kind } = props;
  if (text === null) return <code class="absent" />;
  if (kind !== 'changed' || other === null) return <code>{text === '' ? '\u00a0' : text}</code>;
  return (
    <code>
      {marked(text, other).map(({ text, differs }, at) =>
        // Three parts, always the same
        differs ? <mark key={at}>{text}</mark> : <span key={at}>{text}</span>,
      )}
    </code>
  );
}
