/** Which sessions a viewer of `/inspect` asks for, in the query of its URL. */
import type { Choice } from '../../inspect/viewer.ts';

const DEFAULT_LIMIT = 100;
/** Watched by one viewer at most: a newcomer gets a chart with each. */
const MAX_LIMIT = 1000;
const KNOWN = ['session', 'state', 'user', 'reason', 'sample', 'limit', 'ticket'];

/** Throws, with what is wrong, where the query asks for something there is not. */
export function choiceOf(query: URLSearchParams): Choice {
  for (const name of query.keys()) {
    if (!KNOWN.includes(name)) throw new RangeError(`${name}: not known; ${KNOWN.slice(0, -1).join(', ')} are`);
  }
  const text = (name: 'state' | 'user' | 'reason'): { [key in typeof name]?: string } => {
    const value = query.get(name);
    return value === null ? {} : { [name]: value };
  };
  const sample = Number(query.get('sample') ?? 1);
  if (!(sample > 0 && sample <= 1)) throw new RangeError('sample: expected a share above 0, up to 1');
  const limit = Number(query.get('limit') ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new RangeError(`limit: expected a number from 1 to ${MAX_LIMIT}`);
  }
  return { sessions: query.getAll('session'), ...text('state'), ...text('user'), ...text('reason'), sample, limit };
}
