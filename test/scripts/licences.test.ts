/** The licence check of `.ci/run`. */
import { expect, it } from '@jest/globals';

const script = new URL('../../scripts/licences.mjs', import.meta.url).href;
const { isAllowed, licenceOf } = (await import(script)) as {
  isAllowed(expression: string): boolean;
  licenceOf(manifest: object): string;
};

it('an OR needs one side allowed, an AND both, parentheses first', () => {
  expect(['MIT', '(MIT OR GPL-3.0)', 'MIT AND (GPL-2.0 OR ISC)'].filter((text) => !isAllowed(text))).toEqual([]);
  expect(['GPL-3.0', 'MIT AND GPL-2.0', '(MIT OR ISC) AND GPL-2.0', '', 'MIT)'].filter(isAllowed)).toEqual([]);
});

it('reads the licence of manifests old and new', () => {
  expect(licenceOf({ license: 'MIT' })).toBe('MIT');
  expect(licenceOf({ license: { type: 'ISC', url: 'https://isc.example' } })).toBe('ISC');
  expect(licenceOf({ licenses: [{ type: 'MIT' }, { type: 'GPL-2.0' }] })).toBe('MIT OR GPL-2.0');
  expect(licenceOf({})).toBe('');
});
