/** A registry is a map to whoever asks it; what it held is not kept alive by what it was. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Registry } from '../src/registry.ts';

type Command = { readonly what: 'set' | 'delete' | 'clear'; readonly name: string };

const commands = fc.array(
  fc.record<Command>({
    what: fc.constantFrom('set', 'set', 'set', 'delete', 'delete', 'clear'),
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  }),
);

describe('a registry', () => {
  it('holds what a map would hold, in its order', () => {
    fc.assert(
      fc.property(commands, (given) => {
        const registry = new Registry<object>();
        const map = new Map<string, object>();
        for (const { what, name } of given) {
          const value = { name };
          if (what === 'set') {
            registry.set(name, value);
            map.set(name, value);
          } else if (what === 'delete') expect(registry.delete(name)).toBe(map.delete(name));
          else {
            registry.clear();
            map.clear();
          }
          expect(registry.size).toBe(map.size);
          expect(registry.has(name)).toBe(map.has(name));
          expect(registry.get(name)).toBe(map.get(name));
          expect([...registry.keys()]).toEqual([...map.keys()]);
          expect([...registry.values()]).toEqual([...map.values()]);
        }
      }),
    );
  });

  it('tells of what goes and comes while it is walked through, as a map does', () => {
    const registry = new Registry<{ readonly name: string }>();
    for (const name of ['a', 'b', 'c']) registry.set(name, { name });
    const seen: string[] = [];
    for (const { name } of registry.values()) {
      seen.push(name);
      registry.delete('b');
      if (name === 'a') registry.set('d', { name: 'd' });
    }
    expect(seen).toEqual(['a', 'c', 'd']);
  });
});
