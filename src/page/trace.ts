/** One session's trace, fetched once and then only what is new, as the feed tells that there is something. */
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import { ask } from './api.ts';
import { ServerContext, useFeed } from './hooks.ts';
import type { TraceView } from './told.ts';

export interface Followed {
  readonly trace: TraceView | undefined;
  readonly error: string | undefined;
}

/** The file that `GET /api/sessions/:id/trace` gives. */
export function useTrace(id: string): Followed {
  const { token } = useContext(ServerContext);
  const [state, setState] = useState<Followed>({ trace: undefined, error: undefined });
  const work = useRef({ busy: false, wanted: false, after: -1, gone: false });

  const fetchNew = async (): Promise<void> => {
    const now = work.current;
    if (now.busy) {
      now.wanted = true;
      return;
    }
    now.busy = true;
    try {
      do {
        now.wanted = false;
        const news = await ask<TraceView>(`/api/sessions/${encodeURIComponent(id)}/trace?after=${now.after}`);
        if (now.gone) return;
        now.after = news.length - 1;
        setState(({ trace }) => ({ trace: joined(trace, news), error: undefined }));
      } while (now.wanted);
    } catch (error) {
      setState(({ trace }) => ({ trace, error: (error as Error).message }));
    } finally {
      now.busy = false;
    }
  };
  // A new token asks again
  useEffect(() => {
    void fetchNew();
  }, [id, token]);
  useEffect(
    () => () => {
      work.current.gone = true;
    },
    [],
  );
  useFeed(({ changed, many }) => {
    if (many || changed.includes(id)) void fetchNew();
  });
  return state;
}

function joined(before: TraceView | undefined, news: TraceView): TraceView {
  if (before === undefined) return news;
  return { ...news, steps: [...before.steps, ...news.steps], messages: [...before.messages, ...news.messages] };
}
