/** Keys of the configuration that decide about an invitation: as they stand in the file, each flipped and seen. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bodyOf, chatSdp, World } from '../../src/testing/index.ts';
import { ConfiguredWorld, policyFrom } from '../support/configured.ts';
import { Scene } from '../support/processes.ts';
import { invite, ports, type Role } from '../support/session.ts';

const ISF_ROUTES = { routes: ['sip:10.0.0.30:5060;lr'] };
const NOBODY = { driver: 'thirdParty' };

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.close());

/** Statuses and requests each side has had, but the 100. */
function outcome(world: ConfiguredWorld, near: { peer: { waiting: string[] } }): string {
  const seen = (peer: { waiting: string[] }) => peer.waiting.filter((line) => line !== '100 INVITE');
  const went = [...seen(world.core).map((line) => `core ${line}`), ...seen(world.isf).map((line) => `isf ${line}`)];
  return [...seen(near.peer), ...went].join(', ');
}

type Case = readonly [sections: Record<string, Record<string, unknown>>, expected: string];

/** What becomes of one invitation under several configurations. */
function eachGives(role: Role, options: Parameters<typeof invite>[2], cases: readonly Case[]): void {
  for (const [sections, expected] of cases) {
    const world = new ConfiguredWorld(scene, sections);
    const near = invite(world, role, options);
    world.settle();
    expect([sections, outcome(world, near)]).toEqual([sections, expected]);
  }
}

describe('keys of sip', () => {
  it('A-02: sip.warningAgent is the host in Warning', () => {
    const warning = (sip: Record<string, unknown>) => {
      const world = new ConfiguredWorld(scene, { sip, policy: { allowAnonymity: false } });
      const near = invite(world, 'orig', { headers: [['Privacy', 'id']] });
      world.settle();
      return near.response(403).header('warning');
    };
    expect(warning({})).toBe('399 10.0.0.10 "119 Anonymity not allowed"');
    expect(warning({ warningAgent: 'pf.home.example' })).toBe('399 pf.home.example "119 Anonymity not allowed"');
  });

  it("A-07: sip.productTokens is our release in User-Agent and Server, on both sides, the peer's tokens behind it", () => {
    for (const role of ['orig', 'term'] as const) {
      const world = new ConfiguredWorld(scene, { sip: { productTokens: 'CPM-serv/OMA2.2 Mine/3' } });
      const near = invite(world, role);
      world.settle();
      const far = world.core.incoming();
      expect(far.invite.header('user-agent')).toBe('CPM-serv/OMA2.2 Mine/3 CPM-client/OMA2.0 Phone/1.0');
      far.respond(200, { sdp: chatSdp('bob'), headers: [['Server', 'Other/1']] });
      world.settle();
      expect(near.response(200).header('server')).toBe('CPM-serv/OMA2.2 Mine/3 Other/1');
    }
  });

  it('A-14: sip.contactKey: nodes that share it resolve each other’s contacts, others do not', () => {
    const contact = (keyText: string) => {
      const key = scene.file(`key-${keyText.length}`, keyText);
      const world = new ConfiguredWorld(scene, { sip: { contactKey: `file:${key}` } });
      invite(world, 'orig');
      world.settle();
      return { world, uri: world.core.incoming().invite.contact?.uri ?? '' };
    };
    const made = contact('0123456789abcdef0123456789abcdef');
    for (const [keyText, resolved] of [
      ['0123456789abcdef0123456789abcdef', true],
      ['another key of some length', false],
    ] as const) {
      const { world } = contact(keyText);
      invite(world, 'orig', { uri: made.uri });
      world.settle();
      expect(world.core.incoming().invite.uri === 'sip:alice@10.0.1.3:5060').toBe(resolved);
    }
  });

  it('A-03: sip.trusted: only from there is an identity believed', () => {
    eachGives('orig', {}, [
      [{}, 'core INVITE'],
      // Not trusted, it is not even heard that this is the originating side; the user is then the one called.
      [{ sip: { trusted: ['192.0.2.0/24'] } }, 'core INVITE'],
    ]);
    const world = new ConfiguredWorld(scene, { sip: { trusted: ['192.0.2.0/24'] } });
    const near = invite(world, 'orig', { headers: [['Route', '<sip:10.0.0.10:5060;lr;orig>']] });
    world.settle();
    near.response(403);
  });
});

describe('keys of policy: who may', () => {
  it('A-03: the services of a user in users.yaml are those it may begin', () => {
    for (const [services, status] of [
      [['msg'], 403],
      [['session'], undefined],
    ] as const) {
      const users = { 'sip:alice@home.example': { services } };
      const world = new ConfiguredWorld(scene, {}, users);
      const near = invite(world, 'orig');
      world.settle();
      if (status === undefined) expect(world.core.waiting).toEqual(['INVITE']);
      else expect(near.response(status).header('warning')).toBe('399 10.0.0.10 "127 Service not authorised"');
    }
  });

  it('A-04: policy.requiredUserAgent: off where it is absent, a range where it is not, and a word on missing ones', () => {
    const range = { min: '2.1', max: '2.2' };
    eachGives('orig', {}, [
      [{}, 'core INVITE'],
      [{ policy: { requiredUserAgent: range } }, '403 INVITE'],
    ]);
    eachGives('term', { headers: [['User-Agent', 'Phone/1.0']] }, [
      [{ policy: { requiredUserAgent: range } }, '403 INVITE'],
      [{ policy: { requiredUserAgent: { ...range, onMissing: 'allow' } } }, 'core INVITE'],
    ]);
    eachGives('term', { headers: [['User-Agent', 'CPM-serv/OMA2.2']] }, [
      [{ policy: { requiredUserAgent: range } }, 'core INVITE'],
    ]);
  });

  it('A-05: policy.allowAnonymity and policy.anonymityFromHeader', () => {
    for (const role of ['orig', 'term'] as const) {
      eachGives(role, { headers: [['Privacy', 'header;session']] }, [
        [{}, 'core INVITE'],
        [{ policy: { allowAnonymity: false } }, '403 INVITE'],
      ]);
    }
    eachGives('term', { from: '"Anonymous" <sip:anonymous@anonymous.invalid>' }, [
      [{ policy: { allowAnonymity: false } }, 'core INVITE'],
      [{ policy: { allowAnonymity: false, anonymityFromHeader: true } }, '403 INVITE'],
    ]);
  });

  it('A-36: a blacklist in users.yaml is compared in any spelling', () => {
    const users = { 'sip:bob@home.example': { blacklist: ['tel:+15550666'] } };
    for (const [asserted, status] of [
      ['<sip:+1-555-0666@x.example;user=phone>', 403],
      ['<sip:+15550667@x.example;user=phone>', undefined],
    ] as const) {
      const world = new ConfiguredWorld(scene, {}, users);
      const near = invite(world, 'term', { headers: [['P-Asserted-Identity', asserted]] });
      world.settle();
      if (status === undefined) expect(world.core.waiting).toEqual(['INVITE']);
      else expect(near.response(status).header('warning')).toContain('122 Function not allowed');
    }
  });

  it('A-37: do-not-disturb rules of users.yaml with their whole conditions; compat.dndIgnoresConditions looks at none', () => {
    const rule = (doNotDisturb: unknown) => ({ 'sip:bob@home.example': { preferences: { doNotDisturb } } });
    // The virtual clock stands at the beginning of 2026.
    const now = { from: '2025-12-31T22:00:00Z', until: '2026-01-01T06:00:00Z' };
    const past = { from: '2024-12-31T22:00:00Z', until: '2025-01-01T06:00:00Z' };
    const alice = 'sip:alice@away.example';
    for (const [rules, matches] of [
      [true, true],
      [false, false],
      [[{}], true],
      [[{ services: ['session'] }], true],
      [[{ services: ['msg'] }], false],
      [[{ identity: [alice] }], true],
      [[{ identity: ['sip:carol@away.example'] }], false],
      [[{ domain: ['AWAY.example'] }], true],
      [[{ domain: ['away.example'], except: [alice] }], false],
      [[{ validity: [past, now] }], true],
      [[{ validity: [past] }], false],
      [[{ identity: [alice], validity: [past] }], false],
      [[{ identity: ['sip:carol@away.example'] }, { otherIdentity: true }], true],
      [[{ identity: [alice], services: ['msg'] }, { otherIdentity: true }], false],
    ] as const) {
      for (const dndIgnoresConditions of [false, true]) {
        const world = new ConfiguredWorld(scene, { compat: { dndIgnoresConditions }, isf: ISF_ROUTES }, rule(rules));
        const near = invite(world, 'term');
        world.settle();
        const refused = typeof rules === 'boolean' ? matches : matches || dndIgnoresConditions;
        expect([rules, dndIgnoresConditions, outcome(world, near)]).toEqual([
          rules,
          dndIgnoresConditions,
          refused ? '480 INVITE' : 'core INVITE',
        ]);
      }
    }
  });
});

describe('keys of policy: which way', () => {
  const routed = (world: ConfiguredWorld, role: Role): boolean => {
    invite(world, role);
    world.settle();
    return world.core.incoming().invite.has('record-route');
  };

  it('A-06 A-55: policy.mediaPath: always, never, or auto, which stays for those whose conversations are kept', () => {
    const alice = (allowOfflineStorage: boolean) => ({
      'sip:alice@home.example': { preferences: { allowOfflineStorage } },
    });
    for (const [mediaPath, kept, proxied] of [
      ['always', false, false],
      ['never', true, true],
      ['auto', false, true],
      ['auto', true, false],
    ] as const) {
      const world = new ConfiguredWorld(scene, { policy: { mediaPath } }, alice(kept));
      expect([mediaPath, kept, routed(world, 'orig')]).toEqual([mediaPath, kept, proxied]);
    }
  });

  it('A-10: policy.isfSchemes', () => {
    const isf = ISF_ROUTES;
    eachGives('orig', { uri: 'im:carol@home.example' }, [
      [{ isf }, 'isf INVITE'],
      [{ isf, policy: { isfSchemes: ['mailto'] } }, '416 INVITE'],
    ]);
    eachGives('orig', { uri: 'tel:+15550100' }, [
      [{ isf }, 'core INVITE'],
      [{ isf, policy: { isfSchemes: ['tel'] } }, 'isf INVITE'],
    ]);
  });

  it('A-40: policy.noClient: in step 6b the ISF is invited in the mode policy allows', () => {
    for (const [mediaPath, proxied] of [
      ['always', false],
      ['never', true],
    ] as const) {
      const sections = { registrar: NOBODY, isf: ISF_ROUTES, policy: { mediaPath, noClient: 'interwork' } };
      const world = new ConfiguredWorld(scene, sections);
      invite(world, 'term');
      world.settle();
      expect(world.isf.incoming().invite.has('record-route')).toBe(proxied);
    }
    eachGives('term', {}, [[{ registrar: NOBODY, isf: ISF_ROUTES, policy: { noClient: 'reject' } }, '480 INVITE']]);
  });

  it('A-39: registrar.driver decides whose word counts on who is there', () => {
    eachGives('term', {}, [
      [{ registrar: { driver: 'none' } }, 'core INVITE'],
      [{ registrar: NOBODY }, '480 INVITE'],
    ]);
  });

  it('A-38: policy.allowedMedia and policy.sdpCheck', () => {
    const sdp = chatSdp('alice', [2855, 2856], ['message', 'video']);
    eachGives('term', { sdp }, [
      [{}, 'core INVITE'],
      [{ policy: { allowedMedia: ['message'] } }, '488 INVITE'],
      [{ policy: { allowedMedia: ['message'], sdpCheck: 'all' } }, 'core INVITE'],
    ]);
    const world = new ConfiguredWorld(scene, { policy: { allowedMedia: ['message'], sdpCheck: 'all' } });
    invite(world, 'term', { sdp });
    world.settle();
    expect(ports(bodyOf(world.core.incoming().invite))).toEqual([2855, 0]);
  });

  it('A-51: policy.otherServices: what is no CPM session is forwarded, or refused', () => {
    const service = 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.filetransfer';
    eachGives('orig', { headers: [['P-Asserted-Service', service]] }, [
      [{}, 'core INVITE'],
      [{ policy: { otherServices: 'reject' } }, '488 INVITE'],
    ]);
  });

  it('A-57: policy.reasonText: a Reason header says why a 480 was given', () => {
    const world = new ConfiguredWorld(scene, { registrar: NOBODY, policy: { reasonText: true } });
    const near = invite(world, 'term');
    world.settle();
    expect(near.response(480).header('reason')).toBe('SIP;cause=480;text="No client registered"');
  });

  it('A-15: preferences.timeoutMs is the longest wait, and policy.defaultAllowOfflineStorage holds after it', () => {
    for (const [timeoutMs, defaultAllowOfflineStorage] of [
      [200, true],
      [900, false],
    ] as const) {
      const policy = policyFrom({ preferences: { timeoutMs }, policy: { defaultAllowOfflineStorage } });
      const world = new World({ policy: { ...policy, mediaPath: 'auto' }, profile: () => {} });
      const near = invite(world, 'orig');
      world.clock.advance(timeoutMs);
      near.response(100);
      expect(world.core.waiting).toEqual([]);
      world.settle();
      // Whoever keeps conversations stays in the media path.
      expect(world.core.incoming().invite.has('record-route')).toBe(!defaultAllowOfflineStorage);
    }
    for (const defaultAllowOfflineStorage of [false, true]) {
      const world = new ConfiguredWorld(scene, { policy: { mediaPath: 'auto', defaultAllowOfflineStorage } });
      expect(routed(world, 'orig')).toBe(!defaultAllowOfflineStorage);
    }
  });
});

describe('keys of policy: after a refusal', () => {
  const refused = (sections: Record<string, Record<string, unknown>>, role: Role, status: number): string => {
    const world = new ConfiguredWorld(scene, { isf: ISF_ROUTES, ...sections });
    const near = invite(world, role);
    world.settle();
    const contact = status === 302 ? { headers: [['Contact', '<sip:new@home.example>']] as const } : {};
    world.core.incoming().respond(status, contact);
    world.settle();
    return outcome(world, near)
      .replace('core ACK', '')
      .replace(/^, |, $/g, '');
  };

  it('A-21 A-57: policy.interworkOn.orig; 480 only where the operator adds it', () => {
    expect(refused({}, 'orig', 404)).toBe('isf INVITE');
    expect(refused({ policy: { interworkOn: { orig: [480] } } }, 'orig', 404)).toBe('404 INVITE');
    expect(refused({}, 'orig', 480)).toBe('480 INVITE');
    expect(refused({ policy: { interworkOn: { orig: [480] } } }, 'orig', 480)).toBe('isf INVITE');
  });

  it('A-44: policy.interworkOn.term', () => {
    expect(refused({}, 'term', 480)).toBe('isf INVITE');
    expect(refused({ policy: { interworkOn: { term: [404] } } }, 'term', 480)).toBe('480 INVITE');
  });

  it("A-21 A-44: a user's own refusal can not be configured for interworking", () => {
    for (const interworkOn of [{ orig: [407] }, { term: [486] }]) {
      expect(() => policyFrom({ policy: { interworkOn } })).toThrow('a refusal that is never interworked');
    }
  });

  it('A-22: policy.proxyInterworkOn6xx', () => {
    const policy = { mediaPath: 'never' };
    expect(refused({ policy }, 'orig', 606)).toBe('606 INVITE');
    expect(refused({ policy: { ...policy, proxyInterworkOn6xx: true } }, 'orig', 606)).toBe('isf INVITE');
  });

  it('A-45: policy.maxRedirects', () => {
    expect(refused({}, 'term', 302)).toBe('core INVITE');
    expect(refused({ policy: { maxRedirects: 0 } }, 'term', 302)).toBe('302 INVITE');
  });
});
