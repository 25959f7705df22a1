/**
 * Writes sessions into a session store as fast as it can and says so, until it is killed: `try` before each change, `did`
 * when the store has it. The sessions that a process before it has left are ended by and by.
 *
 *   node store-writer.mjs DATABASE SYNCHRONOUS ROUND
 */
import { writeSync } from 'node:fs';
import { openDatabase } from '../../dist/src/store/database.js';
import { SESSIONS_FORM, sessionsIn } from '../../dist/src/store/sqlite.js';

const [path, synchronous, round] = process.argv.slice(2);
const store = sessionsIn(openDatabase(path, SESSIONS_FORM, synchronous, true), {
  synchronous,
  segmentBytes: 64 * 1024,
});
/** Version of each session that lives. */
const living = new Map();
store.load((id, _origin, state) => living.set(id, Number(state.split(' ')[0])));
/** Some texts have letters that take two bytes in a journal. */
const PADDING = ['x'.repeat(700), 'é'.repeat(300), '☎'.repeat(200)];
let count = 0;

function change() {
  count++;
  const oldest = living.keys().next().value;
  if (living.size > 60) return { id: oldest };
  if (count % 3 === 0) return { id: `${round}-${count}`, version: 1 };
  const id = [...living.keys()][count % living.size] ?? `${round}-${count}`;
  return { id, version: (living.get(id) ?? 0) + 1 };
}

function step() {
  const { id, version } = change();
  const put = {
    id,
    state: `${version} ${PADDING[count % 3]}`,
    ...(version === 1 ? { origin: `origin of ${id}` } : {}),
  };
  const batch = version === undefined ? { puts: [], deletes: [id] } : { puts: [put], deletes: [] };
  const words = `${id} ${version ?? 'over'}\n`;
  writeSync(1, `try ${words}`);
  store.commit({ ...batch, intents: [], policies: [] }, (error) => {
    if (error !== undefined) throw error;
    if (version === undefined) living.delete(id);
    else living.set(id, version);
    writeSync(1, `did ${words}`);
  });
  setImmediate(step);
}
step();
