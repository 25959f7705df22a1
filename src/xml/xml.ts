/**
 * XML from a server that is not ours: no document type, hence no entities but the five of XML itself and characters by
 * number; few levels; names without their prefixes, since documents in the field use any namespace.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';

export interface Element {
  /** Local name. */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
  /** Text of the element itself, without blanks around it. */
  readonly text: string;
}

/** Elements inside elements; a ruleset has six levels, lists of lists a few more. */
const MAX_DEPTH = 32;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  maxNestedTags: MAX_DEPTH,
  ignoreDeclaration: true,
  ignorePiTags: true,
});

/** The root element. Throws, saying what is wrong, for anything but one well-formed document without DOCTYPE. */
export function parseXml(text: string): Element {
  // Entities are declared in a DOCTYPE only; without one there is nothing to expand (and no file or address to fetch).
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw new Error('it has a DOCTYPE, which is refused');
  const verdict = XMLValidator.validate(text);
  if (verdict !== true) throw new Error(`it is no XML: ${verdict.err.msg}`);
  const roots = elementsIn(parser.parse(text) as Node[]);
  const [root] = roots;
  if (root === undefined || roots.length > 1) throw new Error('it is no XML: expected one root element');
  return root;
}

/** How the parser gives a node: its name as the key of what is inside, its attributes beside it. */
type Node = Readonly<Record<string, readonly Node[] | string | Readonly<Record<string, string>>>>;

const ATTRIBUTES = ':@';
const TEXT = '#text';

function elementsIn(nodes: readonly Node[]): Element[] {
  const elements: Element[] = [];
  for (const node of nodes) {
    const name = Object.keys(node).find((key) => key !== ATTRIBUTES);
    if (name === undefined || name === TEXT) continue;
    const inside = node[name] as readonly Node[];
    const attributes = Object.entries((node[ATTRIBUTES] ?? {}) as Record<string, string>);
    elements.push({
      name,
      attributes: new Map(attributes.map(([key, value]) => [key, unescaped(value)])),
      children: elementsIn(inside),
      text: unescaped(inside.map((inner) => (typeof inner[TEXT] === 'string' ? inner[TEXT] : '')).join('')).trim(),
    });
  }
  return elements;
}

const PREDEFINED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** XML 1.0 4.6 and 4.1; what is not known stays as it stands. */
function unescaped(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return PREDEFINED[name] ?? whole;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code > 0x10ffff ? whole : String.fromCodePoint(code);
    },
  );
}

/** Children of one name. */
export function named(element: Element, name: string): readonly Element[] {
  return element.children.filter((child) => child.name === name);
}
