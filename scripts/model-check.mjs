/**
 * Searches every path of a session under a bounded adversary (docs/model-check.md) and prints what was visited.
 *
 *   npm run model-check -- [--bound change|large] [--only <text>] [--json]
 *
 * `--only` takes the configurations whose name contains the text. Exit 1 where an invariant does not hold: the shortest
 * path to it is printed.
 */
import { parseArgs } from 'node:util';
import { sessionMachine, unrecordedMachine } from '../dist/machines/index.js';
import { configurationsOf, resultTable, search, violationText } from '../dist/src/testing/model-check/index.js';

const { values } = parseArgs({
  options: {
    bound: { type: 'string', default: 'change' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
if (values.bound !== 'change' && values.bound !== 'large') {
  console.error(`--bound is change or large, not ${values.bound}`);
  process.exit(2);
}

const results = [];
for (const configuration of configurationsOf(values.bound)) {
  if (!configuration.name.includes(values.only)) continue;
  const began = performance.now();
  const result = search(configuration.storage ? sessionMachine : unrecordedMachine, configuration);
  results.push({ ...result, seconds: (performance.now() - began) / 1000 });
  process.stderr.write(`${configuration.name}: ${result.states} states, ${result.violation?.law ?? 'all hold'}\n`);
}

const broken = results.filter(({ violation }) => violation !== null);
if (values.json) {
  const plain = results.map(({ violation, places, effects, ...rest }) => ({
    ...rest,
    violation: violation === null ? null : violationText(violation),
  }));
  console.log(JSON.stringify(plain, null, 2));
} else {
  console.log(resultTable(results));
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  console.log(`${sum('states')} states, ${sum('transitions')} transitions, ${sum('seconds').toFixed(1)} s`);
  for (const { configuration, violation } of broken) console.log(`\n${configuration}: ${violationText(violation)}`);
}
process.exitCode = broken.length > 0 ? 1 : 0;
