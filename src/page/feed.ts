/** The server's feed: who has changed, as it changes. Read with `fetch`, since an EventSource can bear no token. */
import { answer, Refused } from './api.ts';
import type { Told } from './told.ts';

const AGAIN_MS = 1000;

export interface Feed {
  /** Gives what takes the listener away again. */
  listen(listener: (told: Told) => void): () => void;
  /** Begins at once where it waits for its next try, as when a token was given. */
  again(): void;
}

/** `connected` is told of each change between hearing the server and not. */
export function openFeed(connected: (up: boolean) => void): Feed {
  const listeners = new Set<(told: Told) => void>();
  let latest: Told | undefined;
  let wake: () => void = () => {};
  const run = async (): Promise<void> => {
    for (;;) {
      try {
        await read(await answer('/api/feed'), (told) => {
          connected(true);
          latest = told;
          for (const listener of listeners) listener(told);
        });
      } catch (error) {
        // Without a token there is nothing to try again for before one is given.
        if (error instanceof Refused && error.status === 401) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
      }
      connected(false);
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, AGAIN_MS);
      });
    }
  };
  void run();
  return {
    listen(listener) {
      listeners.add(listener);
      // Whoever comes later knows what the others know, but for what has changed meanwhile.
      if (latest !== undefined) listener({ ...latest, changed: [], many: false });
      return () => listeners.delete(listener);
    },
    again: () => wake(),
  };
}

async function read(response: Response, hear: (told: Told) => void): Promise<void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = '';
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
    if (done) return;
    const events = (waiting + value).split('\n\n');
    waiting = events.pop() ?? '';
    for (const event of events) hear(JSON.parse(event.replace(/^data: /, '')) as Told);
  }
}
