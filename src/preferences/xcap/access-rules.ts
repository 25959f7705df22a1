/** User access rules: a ruleset of RFC 4745 with the conditions and actions OMA adds (8.4.1, A-37). */
import { identityKey } from '../../sip/message/uri.ts';
import { type Element, named, parseXml } from '../../xml/xml.ts';
import { type IdentityCondition, type Many, type Rule, UNCONDITIONAL } from '../rules.ts';

export interface AccessRule extends Rule {
  readonly actions: RuleActions;
}

/** Undefined where the rule has no such action. */
export interface RuleActions {
  readonly allowOfflineStorage: boolean | undefined;
  readonly doNotDisturb: boolean | undefined;
  readonly interworking: boolean | undefined;
}

/** Rules of one document; more are not a person's. */
const MAX_RULES = 1000;

/** Throws, saying what is wrong, where the document is no ruleset. */
export function readAccessRules(text: string): readonly AccessRule[] {
  const root = parseXml(text);
  if (root.name !== 'ruleset') throw new Error(`expected a ruleset, found ${root.name.slice(0, 40)}`);
  const rules = named(root, 'rule');
  if (rules.length > MAX_RULES) throw new Error(`expected at most ${MAX_RULES} rules`);
  return rules.map(ruleOf);
}

function ruleOf(element: Element): AccessRule {
  // The change request says <action>, RFC 4745 <actions>.
  const actions = [...named(element, 'actions'), ...named(element, 'action')].flatMap(({ children }) => children);
  return {
    ...named(element, 'conditions')
      .flatMap(({ children }) => children)
      .reduce<Rule>(withCondition, UNCONDITIONAL),
    actions: {
      allowOfflineStorage: flag(actions, 'allow-offline-storage'),
      doNotDisturb: flag(actions, 'allow-do-not-disturb'),
      interworking: flag(actions, 'allow-interworking'),
    },
  };
}

/** RFC 4745 10.2: one that says yes is enough. */
function flag(actions: readonly Element[], name: string): boolean | undefined {
  const values = actions.filter((action) => action.name === name).map(({ text }) => text === 'true' || text === '1');
  return values.length === 0 ? undefined : values.includes(true);
}

/** The rule under one more condition. */
function withCondition(rule: Rule, condition: Element): Rule {
  switch (condition.name) {
    case 'identity':
      return { ...rule, identity: identityOf(condition) };
    case 'other-identity':
      return { ...rule, otherIdentity: true };
    case 'anonymous-request':
      return { ...rule, anonymous: true };
    case 'external-list':
      return { ...rule, externalLists: [...(rule.externalLists ?? []), ...linksOf(condition)] };
    case 'service-list':
      return { ...rule, services: servicesOf(condition) };
    case 'validity':
      return withValidity(rule, condition);
    default:
      // RFC 4745 7: a condition nobody understands is not met. `sphere` is one: a user's sphere is not known here.
      return { ...rule, unknownCondition: true };
  }
}

function identityOf(condition: Element): IdentityCondition {
  return {
    one: new Set(named(condition, 'one').flatMap((one) => keys(one.attributes.get('id')))),
    many: named(condition, 'many').map(manyOf),
  };
}

function manyOf(element: Element): Many {
  const excepts = named(element, 'except');
  return {
    domain: element.attributes.get('domain') ?? null,
    except: new Set(excepts.flatMap(({ attributes }) => keys(attributes.get('id')))),
    exceptDomains: excepts.flatMap(({ attributes }) => attributes.get('domain') ?? []),
  };
}

function keys(id: string | undefined): string[] {
  return id === undefined ? [] : [identityKey(id)];
}

/** OMA XDM: `<external-list><entry anc="…"/></external-list>`. */
function linksOf(condition: Element): string[] {
  return named(condition, 'entry').flatMap(({ attributes }) => attributes.get('anc') ?? attributes.get('anchor') ?? []);
}

/** Services behind the enabler `CPM`, which stands for all of them. */
const CPM_SERVICES = ['session', 'session.group', 'msg', 'largemsg', 'filetransfer'];
const CPM_PREFIX = 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.';

/** 8.3.2.1 step 4: `<service enabler="CPM"/>`; one service of CPM may also stand there by its identifier. */
function servicesOf(condition: Element): string[] {
  return named(condition, 'service').flatMap(({ attributes }) => {
    const enabler = attributes.get('enabler') ?? '';
    if (enabler.toLowerCase() === 'cpm') return CPM_SERVICES;
    return enabler.startsWith(CPM_PREFIX) ? [enabler.slice(CPM_PREFIX.length)] : [];
  });
}

/** RFC 4745 7.3: pairs of from and until. A time nobody can read is a condition nobody can judge. */
function withValidity(rule: Rule, condition: Element): Rule {
  const from = named(condition, 'from').map(({ text }) => Date.parse(text));
  const until = named(condition, 'until').map(({ text }) => Date.parse(text));
  if (from.length !== until.length || [...from, ...until].some(Number.isNaN))
    return { ...rule, unknownCondition: true };
  return { ...rule, validity: from.map((time, number) => ({ from: time, until: until[number] as number })) };
}
