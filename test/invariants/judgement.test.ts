/** What the judgement lets pass in a scene that was found, it lets pass in that one alone: close beside it, a fault is seen. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { SipStack } from '../../src/sip/stack.ts';
import { type Command, play, type Scene, violationsOf } from '../../src/testing/index.ts';

function found(name: string): Scene {
  const file = new URL(`./regressions/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { scene: Scene }).scene;
}

function broken(scene: Scene, commands: readonly Command[]): number[] {
  return violationsOf(play({ ...scene, commands })).map(({ invariant }) => invariant);
}

describe('close beside a scene that is right', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('invariant 15: a BYE is refused after one kill, by the process that owes its 200', () => {
    const scene = found('killed-again-before-the-200-to-a-bye');
    const oneKill = scene.commands.slice(0, -1);
    expect(broken(scene, oneKill)).toEqual([]);
    jest.spyOn(SipStack.prototype, 'owe').mockImplementation(() => {});
    expect(broken(scene, oneKill)).toContain(15);
  });

  it('invariant 1: an INVITE that is said again after a kill is accepted, and nobody ends it', () => {
    const scene = found('timed-out-right-before-a-kill');
    const earlier: Command[] = [
      { do: 'wait', ms: 20_000 },
      { do: 'crash', instant: 'now', downMs: 50 },
      { do: 'wait', ms: 30_000 },
    ];
    expect(broken(scene, earlier)).toEqual([]);
    const { execute } = SipStack.prototype;
    jest.spyOn(SipStack.prototype, 'execute').mockImplementation(function (this: SipStack, command) {
      const toIwf = 'leg' in command && command.leg.endsWith('.b');
      if (!toIwf || (command.type !== 'acknowledge' && command.type !== 'request')) execute.call(this, command);
    });
    expect(broken(scene, earlier)).toContain(1);
  });
});
