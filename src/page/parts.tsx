/** Small parts that every view is made of. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { brief } from './format.ts';
import type { Guard } from './told.ts';

/** A state's path with its last part in weight: `inviting.`**ringing**. */
export function State({ path }: { readonly path: string }) {
  const at = path.lastIndexOf('.') + 1;
  const kind = path.split('.')[0] ?? '';
  return (
    <span class={`state ${kind}`}>
      {at > 0 && <span class="outer">{path.slice(0, at)}</span>}
      {path.slice(at)}
    </span>
  );
}

export function Panel(props: {
  readonly title: string;
  readonly class?: string;
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <section class={`panel ${props.class ?? ''}`} aria-label={props.title}>
      <header>
        <h2>{props.title}</h2>
        {props.tools}
      </header>
      {props.children}
    </section>
  );
}

/** Two columns of names and values. */
export function Facts({ of }: { readonly of: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

export function Clauses({ of }: { readonly of: readonly string[] }) {
  return (
    <span class="clauses">
      {of.map((clause) => (
        <code key={clause}>{clause}</code>
      ))}
    </span>
  );
}

/** Guards in the order in which they were asked, with what they looked at. */
export function Guards({ of }: { readonly of: readonly Guard[] }) {
  return (
    <ol class="guards">
      {of.map(({ guard, holds, clauses, reads, own }, at) => (
        <li key={`${at}${guard}`} class={holds ? 'holds' : ''}>
          <span class="answer">{holds ? 'yes' : 'no'}</span>
          <span class="guard">{guard}</span>
          <Clauses of={clauses} />
          <span class="reads">
            {own !== undefined && (
              <span>
                own guard, standard answer <b>{own.standard ? 'yes' : 'no'}</b>
              </span>
            )}
            {reads.map(({ path, value }) => (
              <span key={path}>
                {path} <b>{brief(value, 60)}</b>
              </span>
            ))}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** A question that has to be answered before anything else. */
export function Dialog(props: {
  readonly title: string;
  readonly close: () => void;
  readonly children: ComponentChildren;
}) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    box.current?.showModal();
  }, []);
  return (
    <dialog ref={box} aria-label={props.title} onClose={props.close}>
      <h2>{props.title}</h2>
      {props.children}
    </dialog>
  );
}

/** What each key does. */
export function KeysDialog(props: {
  readonly keys: readonly (readonly [key: string, does: string])[];
  readonly close: () => void;
}) {
  return (
    <Dialog title="Keys" close={props.close}>
      <dl class="keys">
        {props.keys.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p class="actions">
        <button type="button" class="main" onClick={props.close}>
          Close
        </button>
      </p>
    </Dialog>
  );
}

/** Choices of which one is taken. */
export function Choice<T extends string>(props: {
  readonly label: string;
  readonly value: T;
  readonly of: readonly (readonly [value: T, text: ComponentChildren])[];
  readonly choose: (value: T) => void;
}) {
  return (
    <fieldset class="choice" aria-label={props.label}>
      {props.of.map(([value, text]) => (
        <button type="button" key={value} aria-pressed={value === props.value} onClick={() => props.choose(value)}>
          {text}
        </button>
      ))}
    </fieldset>
  );
}
