/** Documents as a server that means no good sends them, and links as they stand there. */
import { describe, expect, it } from '@jest/globals';
import { readAccessRules } from '../../src/preferences/xcap/access-rules.ts';
import { linkOf } from '../../src/preferences/xcap/links.ts';
import { readResourceLists, selected } from '../../src/preferences/xcap/resource-lists.ts';
import { parseXml } from '../../src/xml/xml.ts';
import { resourceLists } from '../support/xcap-documents.ts';

const BOMB = `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><resource-lists><list name="&b;"/></resource-lists>`;

describe('XML', () => {
  it.each([
    ['entities that multiply', BOMB, 'it has a DOCTYPE'],
    [
      'an entity that is a file',
      '<!doctype x [<!entity y SYSTEM "file:///etc/passwd">]><x>&y;</x>',
      'it has a DOCTYPE',
    ],
    ['elements nested without end', `${'<a>'.repeat(100)}${'</a>'.repeat(100)}`, 'nested tags'],
    ['an end tag that is missing', '<a><b></a>', 'it is no XML'],
    ['two root elements', '<a/><b/>', 'one root element'],
    ['nothing', '', 'it is no XML'],
    ['a page in HTML', '<html><br><p></html>', 'it is no XML'],
    ['names that mean something to JavaScript', '<a><__proto__ x="1"/></a>', 'SECURITY'],
  ])('is refused with its reason: %s', (_what, text, reason) => {
    expect(() => parseXml(text)).toThrow(reason);
  });

  it('XML 1.0 4.6: has five entities and characters by number; others stay as they stand', () => {
    expect(parseXml('<a b="x&amp;y&#x41;&#66;">&lt;&unknown;&#x110000;</a>')).toMatchObject({
      attributes: new Map([['b', 'x&yAB']]),
      text: '<&unknown;&#x110000;',
    });
  });

  it('a document of another kind is refused by the name of its root element', () => {
    expect(() => readAccessRules('<resource-lists/>')).toThrow('expected a ruleset, found resource-lists');
    expect(() => readResourceLists('<ruleset/>')).toThrow('expected resource-lists, found ruleset');
  });
});

describe('a link (RFC 4825 6)', () => {
  const ROOT = 'https://xcap.home.example/root';

  it.each([
    ['another host', 'https://evil.example/root/resource-lists/users/x/index'],
    ['another port', 'https://xcap.home.example:8443/root/resource-lists/users/x/index'],
    ['another scheme', 'http://xcap.home.example/root/resource-lists/users/x/index'],
    ['a file', 'file:///etc/passwd'],
    ['out of the root', '../admin/index'],
    ['out of the root, hidden', 'https://xcap.home.example/root/%2e%2e/admin'],
    ['with a user of its own', 'https://a:b@xcap.home.example/root/x'],
    ['a selector that is none', `${ROOT}/x/~~/resource-lists/list[@name=`],
    ['escapes that are none', `${ROOT}/x/~~/resource-lists/%zz`],
  ])('is not followed to %s', (_where, anchor) => {
    expect(linkOf(anchor, ROOT)).toBeUndefined();
  });

  it('leads below the root, absolute or relative, by names, attributes and places', () => {
    const list = readResourceLists(
      resourceLists(
        '<list name="a"><entry uri="sip:a@x.example"/></list><list name="b/c"><list><entry uri="sip:d@x.example"/></list></list>',
      ),
    );
    const reach = (selector: string): string[] => {
      const link = linkOf(`resource-lists/users/u/index/~~/${selector}`, ROOT);
      expect(link?.document).toBe(`${ROOT}/resource-lists/users/u/index`);
      return [...(selected(list, link?.steps ?? [])?.entries ?? [])];
    };
    expect(reach('resource-lists/list%5B@name=%22a%22%5D')).toEqual(['sip:a@x.example']);
    expect(reach("rl:resource-lists/rl:list[@name='b/c']/rl:list[1]?xmlns(rl=urn:x)")).toEqual(['sip:d@x.example']);
    expect(reach('resource-lists/list[1]/entry[@uri="sip:a@X.example"]')).toEqual(['sip:a@x.example']);
    expect(reach('resource-lists/list[3]')).toEqual([]);
    expect(reach('resource-lists/list[1]/entry[@uri="sip:z@x.example"]')).toEqual([]);
  });
});
