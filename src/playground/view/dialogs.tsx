/** What is asked before another play begins: its setting, or a scene to open. */
import { useState } from 'preact/hooks';
import { Dialog } from '../../page/parts.tsx';
import { linkText, sceneText } from '../link.ts';
import { sceneIn } from '../scene-check.ts';
import { type CallSetting, CHOICES, PLAIN_CALL, SETTING_KEYS, settingValue } from '../setting.ts';

interface Opening {
  readonly close: () => void;
  /** Opens what stands behind the `#`. */
  readonly open: (hash: string) => void;
}

const LABELS: { readonly [K in keyof CallSetting]: string } = {
  seed: 'Seed',
  media: 'B2BUA or proxy',
  storage: 'Conversations kept',
  close: 'BYE of one IWF ends',
  timer: 'Session refreshed by',
  interval: 'Session interval, s',
  hop: 'Message takes, ms',
  jitter: 'and at most so much more, ms',
  loss: 'Lost, %',
  twice: 'Come twice, %',
  commit: 'Commit takes, ms',
};

const WORDS: Readonly<Record<string, string>> = {
  always: 'always B2BUA',
  auto: 'as the session needs it',
  never: 'always proxy',
  on: 'yes',
  off: 'no',
  streams: 'its streams',
  session: 'the session',
  none: 'nobody',
  uac: 'caller',
  uas: 'callee',
};

export function SettingDialog({ setting, close, open }: Opening & { readonly setting: CallSetting | undefined }) {
  const [values, setValues] = useState<CallSetting>(setting ?? PLAIN_CALL);
  const [error, setError] = useState<string>();
  const set = (key: keyof CallSetting, text: string): void => {
    try {
      const value = settingValue(key, text);
      setValues((before) => ({ ...before, [key]: value }));
      setError(undefined);
    } catch (failure) {
      setError(`${(failure as Error).message}.`);
    }
  };
  const begin = (event: Event): void => {
    event.preventDefault();
    if (error !== undefined) return;
    open(linkText({ beginning: { kind: 'call', setting: values }, acts: [], upTo: undefined }));
    close();
  };
  return (
    <Dialog title="Another play" close={close}>
      <form class="setting" onSubmit={begin}>
        {SETTING_KEYS.map((key) => (
          <label key={key} for={`setting-${key}`}>
            {LABELS[key]}
            <Value name={key} value={String(values[key])} set={(text) => set(key, text)} />
          </label>
        ))}
        {error !== undefined && <p class="error">{error}</p>}
        <p class="actions">
          <button type="button" onClick={close}>
            Go on with this one
          </button>
          <button type="submit" class="main">
            Begin
          </button>
        </p>
      </form>
    </Dialog>
  );
}

function Value(props: {
  readonly name: keyof CallSetting;
  readonly value: string;
  readonly set: (text: string) => void;
}) {
  const { name, value, set } = props;
  const choice = CHOICES[name];
  if (typeof choice[0] === 'number') {
    return (
      <input
        id={`setting-${name}`}
        inputMode="numeric"
        value={value}
        onInput={(event) => set(event.currentTarget.value)}
      />
    );
  }
  return (
    <select id={`setting-${name}`} value={value} onChange={(event) => set(event.currentTarget.value)}>
      {(choice as readonly string[]).map((each) => (
        <option key={each} value={each}>
          {WORDS[each] ?? each}
        </option>
      ))}
    </select>
  );
}

export function SceneDialog({ close, open }: Opening) {
  const [text, setText] = useState('');
  const [error, setError] = useState<string>();
  const show = (): void => {
    try {
      open(hashOfScene(text));
      close();
    } catch (failure) {
      setError(`${(failure as Error).message}.`);
    }
  };
  return (
    <Dialog title="Open a scene" close={close}>
      <p>
        A scene of the property tests as JSON: a file of <code>test/invariants/regressions</code>, or what{' '}
        <code>npm run invariants</code> printed. A file can also be dropped on the page.
      </p>
      <label class="file">
        File
        <input
          type="file"
          accept=".json,application/json"
          onChange={(event) => {
            void event.currentTarget.files?.[0]?.text().then(setText);
          }}
        />
      </label>
      <textarea
        aria-label="Scene as JSON"
        rows={10}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {error !== undefined && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      <p class="actions">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button type="button" class="main" onClick={show}>
          Open
        </button>
      </p>
    </Dialog>
  );
}

/** What stands behind the `#` for a scene. Throws an `Error` that says what is wrong with it. */
export function hashOfScene(text: string): string {
  return `scene=${sceneText(sceneIn(text))}`;
}
